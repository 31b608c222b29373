#pragma once

#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace kelvin::lab {

// The part of a month's GB-seconds below `up_to_gb_seconds` costs `usd` each; the last tier of a
// table has no end.
struct PriceTier {
  std::optional<double> up_to_gb_seconds;
  double usd = 0;
};

struct ArchitecturePrices {
  std::vector<PriceTier> gb_second_tiers;        // of us-east-1, ascending
  std::map<std::string, double> region_factors;  // against us-east-1
};

// One dated price list. GB = 1024 MB throughout; amounts are US dollars.
struct PriceTable {
  std::string date;  // ISO 8601
  double request = 0;
  std::map<std::string, ArchitecturePrices> architectures;  // by "x86_64", "arm64"
  double tmp_free_mb = 0;
  double tmp_gb_second = 0;
  double free_requests = 0;  // a month
  double free_gb_seconds = 0;
};

// Reads a price file (see data/prices.json). Fails with kInvalidArgument, naming the field.
std::expected<PriceTable, Error> ParsePriceTable(std::string_view json);

// The text of data/prices.json as it was when this was built.
std::string_view BuiltInPrices();

enum class FreeTier { kIgnore, kApply };

// One month of one function.
struct Usage {
  double requests = 0;
  int memory_mb = 128;
  double warm_billed_ms = 0;  // mean of a warm invoke
  double cold_billed_ms = 0;  // mean of a cold one, its init billed
  double cold_share = 0;      // of the requests, 0 to 1
  std::string region = "us-east-1";
  std::string architecture = "x86_64";
  int tmp_mb = 512;
  FreeTier free_tier = FreeTier::kIgnore;
};

struct Cost {
  double gb_seconds = 0;  // used, before the free tier
  double requests_usd = 0;
  double duration_usd = 0;
  double tmp_usd = 0;
  double total_usd() const { return requests_usd + duration_usd + tmp_usd; }
};

// Fails with kNotFound when the table has no price for the region or the architecture.
std::expected<Cost, Error> MonthlyCost(const PriceTable& prices, const Usage& usage);

}  // namespace kelvin::lab
