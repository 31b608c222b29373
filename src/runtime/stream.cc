#include "runtime/stream.h"

#include <fmt/format.h>

#include "runtime/json_text.h"

namespace kelvin::runtime {
namespace {

constexpr std::string_view kHttpType = "application/vnd.awslambda.http-integration-response";
constexpr std::size_t kPreludeEndBytes = 8;  // all zero

std::string PreludeOf(const HttpHead& head) {
  std::string text = fmt::format(R"({{"statusCode":{},"headers":{{)", head.status_code);
  std::string_view comma;
  for (const auto& [name, value] : head.headers) {
    text += comma;
    AppendJsonString(text, name);
    text += ':';
    AppendJsonString(text, value);
    comma = ",";
  }
  text += R"(},"cookies":[)";
  comma = {};
  for (const std::string& cookie : head.cookies) {
    text += comma;
    AppendJsonString(text, cookie);
    comma = ",";
  }
  text += "]}";
  text.append(kPreludeEndBytes, '\0');
  return text;
}

HandlerError NotTaken(const Error& error) {
  if (error.code == ErrorCode::kResourceExhausted) {
    return HandlerError{"Function.ResponseSizeTooLarge",
                        "the streamed response is larger than Lambda takes (200 MB)",
                        {},
                        {}};
  }
  return HandlerError{"Function.ResponseNotTaken", error.message, {}, {}};
}

}  // namespace

void ApiStream::SetContentType(std::string_view type) {
  if (!begun_) content_type_ = type;
}

void ApiStream::SetHead(const HttpHead& head) {
  if (begun_) return;
  content_type_ = kHttpType;
  prelude_ = PreludeOf(head);
}

std::expected<void, HandlerError> ApiStream::Write(std::string_view bytes) {
  if (!failure_ && !bytes.empty()) {
    auto sent = begun_ ? api_.StreamPiece(bytes) : Begin(bytes);
    if (!sent) failure_ = std::move(sent.error());
  }
  if (failure_) return std::unexpected(NotTaken(*failure_));
  return {};
}

std::expected<void, Error> ApiStream::Begin(std::string_view bytes) {
  begun_ = true;
  if (prelude_.empty()) return api_.BeginStream(request_id_, content_type_, bytes);
  prelude_ += bytes;
  return api_.BeginStream(request_id_, content_type_, prelude_);
}

std::expected<void, Error> ApiStream::Finish() {
  if (!begun_) {
    auto sent = Begin({});
    if (!sent) return sent;
  }
  if (failure_) return std::unexpected(*failure_);
  return api_.EndStream(nullptr);
}

std::expected<void, Error> ApiStream::Fail(const ErrorDocument& error) {
  if (failure_) return std::unexpected(*failure_);
  return api_.EndStream(&error);
}

}  // namespace kelvin::runtime
