#include "service/router.h"

#include <algorithm>
#include <utility>

#include "base/encoding.h"

namespace kelvin::service {
namespace {

constexpr std::string_view kFunctions = "/2015-03-31/functions";

struct Row {
  std::string_view method;
  std::string_view suffix;  // after the function's name
  Operation operation;
};

constexpr Row kOfAllFunctions[] = {
    {"POST", "", Operation::kCreateFunction},
    {"GET", "", Operation::kListFunctions},
};

constexpr Row kOfOneFunction[] = {
    {"POST", "/invocations", Operation::kInvoke},
    {"GET", "", Operation::kGetFunction},
    {"DELETE", "", Operation::kDeleteFunction},
    {"GET", "/configuration", Operation::kGetFunctionConfiguration},
    {"PUT", "/configuration", Operation::kUpdateFunctionConfiguration},
    {"PUT", "/code", Operation::kUpdateFunctionCode},
};

template <std::size_t kSize>
std::optional<Operation> Find(const Row (&rows)[kSize], std::string_view method,
                              std::string_view suffix) {
  const auto found = std::ranges::find_if(
      rows, [&](const Row& row) { return row.method == method && row.suffix == suffix; });
  if (found == std::end(rows)) return std::nullopt;
  return found->operation;
}

std::optional<StringMap> ParseQuery(std::string_view query) {
  StringMap fields;
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto field = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const auto equals = std::min(field.find('='), field.size());
    auto name = PercentDecode(field.substr(0, equals));
    auto value = PercentDecode(field.substr(std::min(equals + 1, field.size())));
    if (!name || !value) return std::nullopt;
    fields.emplace(std::move(*name), std::move(*value));
  }
  return fields;
}

}  // namespace

std::optional<Route> FindRoute(std::string_view method, std::string_view target) {
  const auto mark = std::min(target.find('?'), target.size());
  std::string_view path = target.substr(0, mark);
  auto query = ParseQuery(target.substr(std::min(mark + 1, target.size())));
  if (!query || !path.starts_with(kFunctions)) return std::nullopt;
  path.remove_prefix(kFunctions.size());
  if (path.empty() || path == "/") {
    const auto operation = Find(kOfAllFunctions, method, "");
    if (!operation) return std::nullopt;
    return Route{*operation, "", std::move(*query)};
  }
  if (path.front() != '/') return std::nullopt;
  path.remove_prefix(1);
  const auto slash = std::min(path.find('/'), path.size());
  auto name = PercentDecode(path.substr(0, slash));
  const auto operation = Find(kOfOneFunction, method, path.substr(slash));
  if (!name || !operation) return std::nullopt;
  return Route{*operation, std::move(*name), std::move(*query)};
}

}  // namespace kelvin::service
