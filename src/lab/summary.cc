#include "lab/summary.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace kelvin::lab {
namespace {

constexpr double kMillion = 1e6;
constexpr double kLeastRatio = 1.05;

// The samples of one function that count, figure by figure.
struct Columns {
  std::vector<double> init;
  std::vector<double> cold_duration;
  std::vector<double> cold_total;
  std::vector<double> cold_client;
  std::vector<double> cold_billed;
  std::vector<double> warm_up;
  std::vector<double> warm;
  std::vector<double> warm_client;
  std::vector<double> warm_billed;
};

void AddCold(const Sample& sample, Columns& columns) {
  const double init_ms = sample.init_ms.value_or(0);
  columns.init.push_back(init_ms);
  columns.cold_duration.push_back(sample.duration_ms);
  columns.cold_total.push_back(init_ms + sample.duration_ms);
  columns.cold_client.push_back(sample.client_ms);
  columns.cold_billed.push_back(static_cast<double>(sample.billed_ms));
}

void AddWarm(const Sample& sample, Columns& columns) {
  columns.warm.push_back(sample.duration_ms);
  columns.warm_client.push_back(sample.client_ms);
  columns.warm_billed.push_back(static_cast<double>(sample.billed_ms));
}

void AddSample(const Sample& sample, Columns& columns, FunctionSummary& summary) {
  if (sample.outcome == Outcome::kRejected) {
    ++summary.rejected;
    return;
  }
  if (sample.outcome == Outcome::kFailed) {
    ++summary.failures[sample.reason];
    return;
  }
  summary.max_memory_mb = std::max(summary.max_memory_mb, sample.max_memory_mb);
  switch (sample.kind) {
    case SampleKind::kCold:
      return AddCold(sample, columns);
    case SampleKind::kWarmUp:
      return columns.warm_up.push_back(sample.duration_ms);
    case SampleKind::kWarm:
      return AddWarm(sample, columns);
  }
}

std::optional<double> CostPerMillion(const Record& record, const FunctionSummary& summary,
                                     const PriceTable& prices) {
  if (!summary.warm) return std::nullopt;
  const Function& function = record.functions[summary.function];
  // Without cold samples there is nothing to mix in.
  const double cold_share = summary.cold_total ? record.pricing.cold_share : 0;
  const auto cost = MonthlyCost(prices, Usage{.requests = kMillion,
                                              .memory_mb = function.memory_mb,
                                              .warm_billed_ms = summary.warm_billed_ms,
                                              .cold_billed_ms = summary.cold_billed_ms,
                                              .cold_share = cold_share,
                                              .region = record.pricing.region,
                                              .architecture = function.architecture});
  if (!cost) return std::nullopt;
  return cost->total_usd();
}

bool Overlap(const std::optional<Interval>& a, const std::optional<Interval>& b) {
  return a && b && a->low <= b->high && b->low <= a->high;
}

}  // namespace

std::vector<FunctionSummary> Summarize(const Record& record, const PriceTable& prices) {
  std::vector<FunctionSummary> summaries(record.functions.size());
  std::vector<Columns> columns(record.functions.size());
  for (const Sample& sample : record.samples) {
    AddSample(sample, columns[sample.function], summaries[sample.function]);
  }
  for (std::size_t i = 0; i < summaries.size(); ++i) {
    FunctionSummary& summary = summaries[i];
    summary.function = i;
    summary.init = Summarize(columns[i].init);
    summary.cold_duration = Summarize(columns[i].cold_duration);
    summary.cold_total = Summarize(columns[i].cold_total);
    summary.cold_client = Summarize(columns[i].cold_client);
    summary.warm_up = Summarize(columns[i].warm_up);
    summary.warm = Summarize(columns[i].warm);
    summary.warm_client = Summarize(columns[i].warm_client);
    summary.cold_billed_ms = Mean(columns[i].cold_billed);
    summary.warm_billed_ms = Mean(columns[i].warm_billed);
    summary.cost_per_million = CostPerMillion(record, summary, prices);
  }
  return summaries;
}

std::vector<Improvement> FindImprovements(
    const Record& record, const std::vector<FunctionSummary>& summaries,
    std::optional<double> (*value)(const FunctionSummary&),
    std::optional<Interval> (*interval)(const FunctionSummary&)) {
  std::map<std::string, std::vector<const FunctionSummary*>> groups;
  for (const FunctionSummary& summary : summaries) {
    if (value(summary)) groups[record.functions[summary.function].group].push_back(&summary);
  }
  std::vector<Improvement> improvements;
  for (const auto& [group, members] : groups) {
    const auto [best, worst] =
        std::minmax_element(members.begin(), members.end(),
                            [&](const auto* a, const auto* b) { return *value(*a) < *value(*b); });
    if (*best == *worst || *value(**best) <= 0) continue;
    // An exact figure that is the same to a few percent is not worth a word.
    const bool exact = !interval(**best) || !interval(**worst);
    if (exact && *value(**worst) / *value(**best) < kLeastRatio) continue;
    improvements.push_back(Improvement{.best = (*best)->function,
                                       .worst = (*worst)->function,
                                       .ratio = *value(**worst) / *value(**best),
                                       .clear = !Overlap(interval(**best), interval(**worst))});
  }
  return improvements;
}

}  // namespace kelvin::lab
