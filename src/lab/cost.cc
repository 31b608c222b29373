#include "lab/cost.h"

#include <algorithm>
#include <cmath>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace kelvin::lab {
namespace {

namespace json = boost::json;

constexpr double kMbPerGb = 1024;
constexpr double kMsPerSecond = 1000;

std::unexpected<Error> Bad(std::string_view field, std::string_view expected) {
  return std::unexpected(
      Error{ErrorCode::kInvalidArgument,
            fmt::format("expected {} at '{}' of the price table; data/prices.json "
                        "in Kelvin's sources shows the form",
                        expected, field)});
}

std::expected<double, Error> Price(const json::value* value, std::string_view field) {
  if (value == nullptr || !value->is_number()) return Bad(field, "a number");
  const double number = value->to_number<double>();
  if (!std::isfinite(number) || number < 0) return Bad(field, "a number that is not negative");
  return number;
}

std::expected<double, Error> PriceAt(const json::object& object, std::string_view parent,
                                     std::string_view key) {
  const std::string field = parent.empty() ? std::string(key) : fmt::format("{}.{}", parent, key);
  return Price(object.if_contains(key), field);
}

std::expected<std::vector<PriceTier>, Error> ParseTiers(const json::value* value,
                                                        const std::string& field) {
  if (value == nullptr || !value->is_array() || value->get_array().empty()) {
    return Bad(field, "an array of tiers");
  }
  std::vector<PriceTier> tiers;
  double reached = 0;
  for (const json::value& entry : value->get_array()) {
    const json::object* object = entry.if_object();
    if (object == nullptr) return Bad(field, "an object for every tier");
    if (!tiers.empty() && !tiers.back().up_to_gb_seconds)
      return Bad(field, "one endless tier, last");
    PriceTier tier;
    const json::value* up_to = object->if_contains("up_to_gb_seconds");
    if (up_to != nullptr && !up_to->is_null()) {
      const auto limit = Price(up_to, field + ".up_to_gb_seconds");
      if (!limit) return std::unexpected(limit.error());
      if (*limit <= reached) return Bad(field, "tiers in ascending order");
      tier.up_to_gb_seconds = reached = *limit;
    }
    const auto usd = PriceAt(*object, field, "usd");
    if (!usd) return std::unexpected(usd.error());
    tier.usd = *usd;
    tiers.push_back(tier);
  }
  if (tiers.back().up_to_gb_seconds) return Bad(field, "a last tier with up_to_gb_seconds null");
  return tiers;
}

std::expected<ArchitecturePrices, Error> ParseArchitecture(const json::value& value,
                                                           const std::string& field) {
  const json::object* object = value.if_object();
  if (object == nullptr) return Bad(field, "an object");
  ArchitecturePrices prices;
  auto tiers = ParseTiers(object->if_contains("gb_second_tiers"), field + ".gb_second_tiers");
  if (!tiers) return std::unexpected(tiers.error());
  prices.gb_second_tiers = std::move(*tiers);
  const json::value* factors = object->if_contains("region_factors");
  if (factors == nullptr || !factors->is_object()) {
    return Bad(field + ".region_factors", "an object of numbers by region");
  }
  for (const auto& [region, factor] : factors->get_object()) {
    const auto number = Price(&factor, fmt::format("{}.region_factors.{}", field,
                                                   std::string_view(region.data(), region.size())));
    if (!number) return std::unexpected(number.error());
    prices.region_factors.emplace(region, *number);
  }
  return prices;
}

// Reads the numbers of object `parent` into the places given.
std::expected<void, Error> ReadNumbers(
    const json::object& root, std::string_view parent,
    std::initializer_list<std::pair<std::string_view, double*>> places) {
  const json::value* value = root.if_contains(parent);
  if (value == nullptr || !value->is_object()) return Bad(parent, "an object");
  for (const auto& [key, place] : places) {
    const auto number = PriceAt(value->get_object(), parent, key);
    if (!number) return std::unexpected(number.error());
    *place = *number;
  }
  return {};
}

double TieredUsd(const std::vector<PriceTier>& tiers, double gb_seconds) {
  double usd = 0;
  double reached = 0;
  for (const PriceTier& tier : tiers) {
    const double end = std::min(gb_seconds, tier.up_to_gb_seconds.value_or(gb_seconds));
    if (end > reached) usd += (end - reached) * tier.usd;
    reached = std::max(reached, end);
  }
  return usd;
}

template <typename Map>
std::vector<std::string> Keys(const Map& map) {
  std::vector<std::string> keys;
  for (const auto& entry : map) keys.push_back(entry.first);
  return keys;
}

}  // namespace

std::expected<PriceTable, Error> ParsePriceTable(std::string_view text) {
  boost::system::error_code error;
  const json::value document = json::parse(json::string_view(text.data(), text.size()), error);
  if (error || !document.is_object()) return Bad("", "a JSON object");
  const json::object& root = document.get_object();
  PriceTable table;
  const json::value* date = root.if_contains("date");
  if (date == nullptr || !date->is_string()) return Bad("date", "a date such as \"2026-11-23\"");
  table.date = date->get_string();
  const auto request = PriceAt(root, "", "request");
  if (!request) return std::unexpected(request.error());
  table.request = *request;
  const json::value* architectures = root.if_contains("architectures");
  if (architectures == nullptr || !architectures->is_object()) {
    return Bad("architectures", "an object");
  }
  for (const auto& [name, value] : architectures->get_object()) {
    auto prices = ParseArchitecture(value, "architectures." + std::string(name));
    if (!prices) return std::unexpected(prices.error());
    table.architectures.emplace(name, std::move(*prices));
  }
  if (auto read = ReadNumbers(
          root, "tmp", {{"free_mb", &table.tmp_free_mb}, {"gb_second", &table.tmp_gb_second}});
      !read) {
    return std::unexpected(read.error());
  }
  if (auto read =
          ReadNumbers(root, "free_tier",
                      {{"requests", &table.free_requests}, {"gb_seconds", &table.free_gb_seconds}});
      !read) {
    return std::unexpected(read.error());
  }
  return table;
}

std::expected<Cost, Error> MonthlyCost(const PriceTable& prices, const Usage& usage) {
  const auto architecture = prices.architectures.find(usage.architecture);
  if (architecture == prices.architectures.end()) {
    return std::unexpected(
        Error{ErrorCode::kNotFound,
              fmt::format("expected an architecture of the price table ({}), got {}",
                          fmt::join(Keys(prices.architectures), ", "), usage.architecture)});
  }
  const auto factor = architecture->second.region_factors.find(usage.region);
  if (factor == architecture->second.region_factors.end()) {
    return std::unexpected(
        Error{ErrorCode::kNotFound,
              fmt::format(
                  "expected a region that the price table of {} has for {} ({}), got {}; add it to "
                  "a copy of data/prices.json and name that copy with --prices",
                  prices.date, usage.architecture,
                  fmt::join(Keys(architecture->second.region_factors), ", "), usage.region)});
  }
  const double billed_seconds =
      usage.requests *
      (usage.warm_billed_ms * (1 - usage.cold_share) + usage.cold_billed_ms * usage.cold_share) /
      kMsPerSecond;
  Cost cost;
  cost.gb_seconds = billed_seconds * usage.memory_mb / kMbPerGb;
  const bool free = usage.free_tier == FreeTier::kApply;
  const double paid_requests = std::max(0.0, usage.requests - (free ? prices.free_requests : 0));
  const double paid_gb_seconds =
      std::max(0.0, cost.gb_seconds - (free ? prices.free_gb_seconds : 0));
  cost.requests_usd = paid_requests * prices.request;
  cost.duration_usd =
      TieredUsd(architecture->second.gb_second_tiers, paid_gb_seconds) * factor->second;
  const double extra_tmp_gb = std::max(0.0, usage.tmp_mb - prices.tmp_free_mb) / kMbPerGb;
  cost.tmp_usd = billed_seconds * extra_tmp_gb * prices.tmp_gb_second;
  return cost;
}

}  // namespace kelvin::lab
