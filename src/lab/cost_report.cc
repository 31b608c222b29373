#include "lab/cost_report.h"

#include <algorithm>

#include <fmt/format.h>

#include "lab/report_parts.h"
#include "lab/summary.h"

namespace kelvin::lab {
namespace {

int LargestMemory(const std::vector<NamedUsage>& usages) {
  int largest = 0;
  for (const NamedUsage& named : usages) largest = std::max(largest, named.usage.memory_mb);
  return largest;
}

// The same month at its own memory size, at another one, and with the free tier.
struct Variants {
  Cost own;
  Cost equal;
  Cost free;
};

std::expected<Variants, Error> Price(const Usage& usage, int equal_memory,
                                     const PriceTable& prices) {
  Variants variants;
  Usage other = usage;
  const auto price = [&](Cost& into) -> std::expected<void, Error> {
    auto cost = MonthlyCost(prices, other);
    if (!cost) return std::unexpected(std::move(cost.error()));
    into = *cost;
    return {};
  };
  other.free_tier = FreeTier::kIgnore;
  if (auto priced = price(variants.own); !priced) return std::unexpected(priced.error());
  other.free_tier = FreeTier::kApply;
  if (auto priced = price(variants.free); !priced) return std::unexpected(priced.error());
  other.free_tier = FreeTier::kIgnore;
  other.memory_mb = equal_memory;
  if (auto priced = price(variants.equal); !priced) return std::unexpected(priced.error());
  return variants;
}

double Saving(double cheap, double dear) {
  return dear > 0 ? (1 - cheap / dear) * 100 : 0;
}

}  // namespace

std::vector<NamedUsage> UsagesOf(const Record& record, const PriceTable& prices, double requests,
                                 std::optional<double> cold_share, const std::string& region) {
  std::vector<NamedUsage> usages;
  for (const FunctionSummary& summary : Summarize(record, prices)) {
    if (!summary.warm) continue;
    const Function& function = record.functions[summary.function];
    const double share = cold_share.value_or(record.pricing.cold_share);
    usages.push_back({LabelOf(record, summary.function),
                      Usage{.requests = requests,
                            .memory_mb = function.memory_mb,
                            .warm_billed_ms = summary.warm_billed_ms,
                            .cold_billed_ms = summary.cold_billed_ms,
                            .cold_share = summary.cold_total ? share : 0,
                            .region = region.empty() ? record.pricing.region : region,
                            .architecture = function.architecture,
                            .tmp_mb = function.tmp_mb}});
  }
  return usages;
}

std::expected<Table, Error> CostTable(const std::vector<NamedUsage>& usages,
                                      const PriceTable& prices) {
  const int largest = LargestMemory(usages);
  Table table{.columns = {{"Function", Align::kLeft},
                          {"Memory"},
                          {"Billed warm"},
                          {"Billed cold"},
                          {"GB-s"},
                          {"Requests"},
                          {"Duration"},
                          {"/tmp"},
                          {"Total"},
                          {"With free tier"},
                          {fmt::format("At {} MB", largest)}},
              .rows = {}};
  for (const NamedUsage& named : usages) {
    const auto priced = Price(named.usage, largest, prices);
    if (!priced) return std::unexpected(priced.error());
    table.rows.push_back({named.name, fmt::format("{} MB", named.usage.memory_mb),
                          FormatMs(named.usage.warm_billed_ms),
                          named.usage.cold_share > 0 ? FormatMs(named.usage.cold_billed_ms) : "-",
                          fmt::format("{:.0f}", priced->own.gb_seconds),
                          FormatUsd(priced->own.requests_usd), FormatUsd(priced->own.duration_usd),
                          FormatUsd(priced->own.tmp_usd), FormatUsd(priced->own.total_usd()),
                          FormatUsd(priced->free.total_usd()),
                          FormatUsd(priced->equal.total_usd())});
  }
  return table;
}

std::expected<std::vector<std::string>, Error> SavingLines(const std::vector<NamedUsage>& usages,
                                                           const PriceTable& prices) {
  const int largest = LargestMemory(usages);
  std::vector<Variants> variants;
  for (const NamedUsage& named : usages) {
    auto priced = Price(named.usage, largest, prices);
    if (!priced) return std::unexpected(std::move(priced.error()));
    variants.push_back(*priced);
  }
  std::vector<std::string> lines;
  if (variants.size() < 2) return lines;
  const auto dearest = static_cast<std::size_t>(
      std::ranges::max_element(variants, {}, [](const Variants& v) { return v.own.total_usd(); }) -
      variants.begin());
  for (std::size_t i = 0; i < variants.size(); ++i) {
    const double dear = variants[dearest].own.total_usd();
    if (i == dearest || variants[i].own.total_usd() >= dear) continue;
    lines.push_back(fmt::format(
        "{} saves {:.0f} % against {} at {} MB for both, {:.0f} % at their own sizes ({} a month)",
        usages[i].name, Saving(variants[i].equal.total_usd(), variants[dearest].equal.total_usd()),
        usages[dearest].name, largest, Saving(variants[i].own.total_usd(), dear),
        FormatUsd(dear - variants[i].own.total_usd())));
  }
  return lines;
}

}  // namespace kelvin::lab
