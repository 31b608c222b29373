#include "service/function_name.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace kelvin::service {
namespace {

constexpr std::string_view kPattern =
    "(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?"
    "(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?";
constexpr std::size_t kLongestName = 64;
constexpr std::size_t kLongestArn = 170;
constexpr std::size_t kLongestNewArn = 140;
constexpr std::size_t kLongestQualifier = 128;

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

bool IsName(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, IsNameCharacter);
}

bool IsAccount(std::string_view text) {
  return text.size() == 12 &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool IsRegion(std::string_view text) {
  return std::ranges::count(text, '-') >= 2 && std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

bool IsQualifier(std::string_view text) {
  return text == "$LATEST" || (text.size() <= kLongestQualifier && IsName(text));
}

std::vector<std::string_view> Split(std::string_view text) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto colon = text.find(':');
    parts.push_back(text.substr(0, colon));
    if (colon == text.npos) return parts;
    text.remove_prefix(colon + 1);
  }
}

std::unexpected<ApiError> BadName(std::string_view text, std::string_view constraint) {
  return std::unexpected(
      ApiError{ApiErrorKind::kValidation,
               fmt::format("1 validation error detected: Value '{}' at 'functionName' failed to "
                           "satisfy constraint: {}",
                           text, constraint)});
}

std::unexpected<ApiError> BadPattern(std::string_view text) {
  return BadName(text, fmt::format("Member must satisfy regular expression pattern: {}", kPattern));
}

// What stands before the name, read from the left.
struct Prefix {
  std::size_t parts = 0;
  std::string_view region;
  std::string_view account;
  bool valid = true;
};

Prefix ReadPrefix(const std::vector<std::string_view>& parts) {
  Prefix prefix;
  if (parts[0] == "arn") {
    if (parts.size() < 7 || !parts[1].starts_with("aws") || parts[2] != "lambda" ||
        !IsRegion(parts[3]) || !IsAccount(parts[4]) || parts[5] != "function") {
      prefix.valid = false;
      return prefix;
    }
    return {6, parts[3], parts[4]};
  }
  std::size_t at = 0;
  if (at + 1 < parts.size() && IsRegion(parts[at]) && IsAccount(parts[at + 1])) {
    prefix.region = parts[at++];
  }
  if (at + 1 < parts.size() && IsAccount(parts[at])) prefix.account = parts[at++];
  if (at + 1 < parts.size() && parts[at] == "function") ++at;
  prefix.parts = at;
  return prefix;
}

// `long_name` is what a name of more than 64 characters is refused as.
std::expected<FunctionName, ApiError> Parse(std::string_view text, const Place& place,
                                            ApiErrorKind long_name) {
  if (text.size() > kLongestArn) {
    return BadName(text, "Member must have length less than or equal to 170");
  }
  const auto parts = Split(text);
  const Prefix prefix = ReadPrefix(parts);
  const std::size_t left = parts.size() - std::min(prefix.parts, parts.size());
  if (!prefix.valid || left < 1 || left > 2) return BadPattern(text);
  const std::string_view name = parts[prefix.parts];
  const std::string_view qualifier = left == 2 ? parts[prefix.parts + 1] : std::string_view{};
  if (!IsName(name) || (left == 2 && !IsQualifier(qualifier))) return BadPattern(text);
  if (name.size() > kLongestName) {
    auto refused = BadName(name, "Member must have length less than or equal to 64");
    refused.error().kind = long_name;
    return refused;
  }
  if (!prefix.region.empty() && prefix.region != place.region) {
    return std::unexpected(
        ApiError{ApiErrorKind::kResourceNotFound,
                 fmt::format("Functions from '{}' are not reachable in this region ('{}')",
                             prefix.region, place.region)});
  }
  if (!prefix.account.empty() && prefix.account != place.account_id) {
    const Place named{place.region, std::string(prefix.account)};
    return std::unexpected(FunctionNotFound(FunctionArn(named, name, qualifier)));
  }
  return FunctionName{std::string(name), std::string(qualifier)};
}

}  // namespace

std::expected<FunctionName, ApiError> ParseFunctionName(std::string_view text, const Place& place) {
  return Parse(text, place, ApiErrorKind::kValidation);
}

std::expected<std::string, ApiError> ParseNewFunctionName(std::string_view text,
                                                          const Place& place) {
  if (text.size() > kLongestNewArn) {
    return BadName(text, "Member must have length less than or equal to 140");
  }
  auto parsed = Parse(text, place, ApiErrorKind::kInvalidParameterValue);
  if (!parsed) return std::unexpected(std::move(parsed.error()));
  if (!parsed->qualifier.empty()) return BadPattern(text);
  return std::move(parsed->name);
}

std::string FunctionArn(const Place& place, std::string_view name, std::string_view qualifier) {
  return fmt::format("arn:aws:lambda:{}:{}:function:{}{}{}", place.region, place.account_id, name,
                     qualifier.empty() ? "" : ":", qualifier);
}

ApiError FunctionNotFound(std::string_view arn) {
  return {ApiErrorKind::kResourceNotFound, fmt::format("Function not found: {}", arn)};
}

}  // namespace kelvin::service
