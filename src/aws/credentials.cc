#include "aws/credentials.h"

#include <algorithm>

#include <fmt/format.h>

namespace kelvin::aws {
namespace {

constexpr std::string_view kHowToMend =
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN with temporary keys); "
    "a local endpoint takes any values";

bool FitsHeader(std::string_view value) {
  return std::ranges::all_of(value, [](char c) { return c > ' ' && c < 0x7f; });
}

std::expected<std::string, Error> Required(const EnvironmentLookup& lookup, std::string_view name) {
  auto value = lookup(name);
  if (!value || value->empty()) {
    return std::unexpected(Error{ErrorCode::kInvalidArgument,
                                 fmt::format("expected credentials, but {} is {}: {}", name,
                                             value ? "empty" : "not set", kHowToMend)});
  }
  if (!FitsHeader(*value)) {
    return std::unexpected(
        Error{ErrorCode::kInvalidArgument,
              fmt::format("expected {} without blanks and control characters, got some: {}", name,
                          kHowToMend)});
  }
  return std::move(*value);
}

bool IsRegionName(std::string_view name) {
  return !name.empty() && name.size() <= 63 && name.front() != '-' && name.back() != '-' &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

}  // namespace

std::expected<Credentials, Error> CredentialsFromEnvironment(const EnvironmentLookup& lookup) {
  auto id = Required(lookup, "AWS_ACCESS_KEY_ID");
  if (!id) return std::unexpected(std::move(id.error()));
  auto secret = Required(lookup, "AWS_SECRET_ACCESS_KEY");
  if (!secret) return std::unexpected(std::move(secret.error()));
  Credentials credentials{std::move(*id), std::move(*secret), {}};
  const auto token = lookup("AWS_SESSION_TOKEN");
  if (token && !token->empty()) {
    auto checked = Required(lookup, "AWS_SESSION_TOKEN");
    if (!checked) return std::unexpected(std::move(checked.error()));
    credentials.session_token = std::move(*checked);
  }
  return credentials;
}

std::expected<std::string, Error> RegionFromEnvironment(const EnvironmentLookup& lookup) {
  for (const std::string_view name : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
    auto value = lookup(name);
    if (!value || value->empty()) continue;
    if (IsRegionName(*value)) return std::move(*value);
    return std::unexpected(Error{
        ErrorCode::kInvalidArgument,
        fmt::format("expected {} to name a region such as us-east-1, got '{}'", name, *value)});
  }
  return std::unexpected(Error{ErrorCode::kInvalidArgument,
                               "expected a region, but neither AWS_REGION nor AWS_DEFAULT_REGION "
                               "is set: set AWS_REGION, for example to us-east-1"});
}

}  // namespace kelvin::aws
