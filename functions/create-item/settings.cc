#include "settings.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include <fmt/format.h>

namespace create_item {
namespace {

constexpr int kMaxTtlDays = 36500;

std::unexpected<kelvin::HandlerError> Invalid(std::string message) {
  return std::unexpected(kelvin::HandlerError{"Function.InvalidSetting", std::move(message)});
}

bool IsTableName(std::string_view name) {
  const bool arn = name.starts_with("arn:");
  if (name.size() < 3 || name.size() > (arn ? 1024 : 255)) return false;
  return std::ranges::all_of(name, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-' || (arn && (c == ':' || c == '/'));
  });
}

std::optional<std::chrono::days> ParseDays(std::string_view text) {
  int days = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), days);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (days < 1 || days > kMaxTtlDays) return std::nullopt;
  return std::chrono::days{days};
}

}  // namespace

std::expected<Settings, kelvin::HandlerError> ReadSettings(const kelvin::Environment& environment) {
  const auto table_name = environment.Get("TABLE_NAME");
  if (!table_name) {
    return Invalid(
        "expected TABLE_NAME to name a DynamoDB table, but it is not set: set it in the "
        "function's environment variables");
  }
  if (!IsTableName(*table_name)) {
    return Invalid(
        fmt::format("expected TABLE_NAME to name a DynamoDB table (3 to 255 letters, digits, '_', "
                    "'.' and '-', or an ARN), got '{}'",
                    *table_name));
  }
  Settings settings{std::string(*table_name), std::nullopt};
  if (const auto days = environment.Get("TTL_DAYS")) {
    settings.ttl = ParseDays(*days);
    if (!settings.ttl) {
      return Invalid(fmt::format(
          "expected TTL_DAYS to be a whole number of days from 1 to {}, got '{}': leave it out to "
          "keep items for ever",
          kMaxTtlDays, *days));
    }
  }
  return settings;
}

}  // namespace create_item
