#include "runtime/error_document.h"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/json_text.h"

namespace kelvin::runtime {
namespace {

// (Runtime|Function)\.[A-Z][A-Za-z]+
bool IsLambdaErrorType(std::string_view type) {
  const std::size_t dot = type.find('.');
  if (dot == std::string_view::npos) return false;
  const std::string_view space = type.substr(0, dot);
  const std::string_view word = type.substr(dot + 1);
  const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  const auto is_letter = [&](char c) { return is_upper(c) || (c >= 'a' && c <= 'z'); };
  return (space == "Runtime" || space == "Function") && word.size() >= 2 &&
         is_upper(word.front()) && std::ranges::all_of(word, is_letter);
}

std::string_view TypeOf(Origin origin) {
  switch (origin) {
    case Origin::kHandlerError:
      return "Function.Error";
    case Origin::kHandlerException:
      return "Runtime.UnhandledException";
    case Origin::kInit:
      return "Runtime.InitError";
  }
  return "Function.Unknown";
}

void AppendStackTrace(std::string& body, const HandlerError& error) {
  body += '[';
  if (!error.stack_trace.empty()) {
    for (std::size_t i = 0; i < error.stack_trace.size(); ++i) {
      if (i > 0) body += ',';
      AppendJsonString(body, error.stack_trace[i]);
    }
  } else if (error.where.line() != 0) {
    AppendJsonString(body, fmt::format("{} ({}:{})", error.where.function_name(),
                                       error.where.file_name(), error.where.line()));
  }
  body += ']';
}

}  // namespace

ErrorDocument MakeErrorDocument(const HandlerError& error, Origin origin) {
  ErrorDocument document;
  document.error_type = IsLambdaErrorType(error.type) ? error.type : std::string(TypeOf(origin));
  document.body = R"({"errorMessage":)";
  AppendJsonString(document.body, error.message);
  document.body += R"(,"errorType":)";
  AppendJsonString(document.body, error.type.empty() ? document.error_type : error.type);
  document.body += R"(,"stackTrace":)";
  AppendStackTrace(document.body, error);
  document.body += '}';
  return document;
}

}  // namespace kelvin::runtime
