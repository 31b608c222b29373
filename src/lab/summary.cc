#include "lab/summary.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

namespace kelvin::lab {
namespace {

constexpr double kMillion = 1e6;

void AddCold(const Sample& sample, SampleColumns& columns) {
  const double init_ms = sample.init_ms.value_or(0);
  columns.init.push_back(init_ms);
  columns.cold_duration.push_back(sample.duration_ms);
  columns.cold_total.push_back(init_ms + sample.duration_ms);
  columns.cold_client.push_back(sample.client_ms);
  columns.cold_billed.push_back(static_cast<double>(sample.billed_ms));
}

void AddWarm(const Sample& sample, SampleColumns& columns) {
  columns.warm.push_back(sample.duration_ms);
  columns.warm_client.push_back(sample.client_ms);
  columns.warm_billed.push_back(static_cast<double>(sample.billed_ms));
}

void AddSample(const Sample& sample, SampleColumns& columns, FunctionSummary& summary) {
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

void SummarizeEngine(const Record& record, std::size_t function, FunctionSummary& summary) {
  std::vector<EngineCounters> cold;
  for (const Sample& sample : record.samples) {
    if (sample.function != function || sample.outcome != Outcome::kOk || !sample.engine) continue;
    if (sample.kind == SampleKind::kCold) cold.push_back(*sample.engine);
    summary.engine_end = sample.engine;
  }
  if (cold.empty()) return;
  std::ranges::sort(cold, {}, &EngineCounters::tier0_ms);
  summary.engine_cold = cold[cold.size() / 2];
}

}  // namespace

std::vector<FunctionSummary> Summarize(const Record& record, const PriceTable& prices) {
  std::vector<FunctionSummary> summaries(record.functions.size());
  for (const Sample& sample : record.samples) {
    FunctionSummary& summary = summaries[sample.function];
    AddSample(sample, summary.samples, summary);
  }
  for (std::size_t i = 0; i < summaries.size(); ++i) {
    FunctionSummary& summary = summaries[i];
    const SampleColumns& samples = summary.samples;
    summary.function = i;
    summary.init = Summarize(samples.init);
    summary.cold_duration = Summarize(samples.cold_duration);
    summary.cold_total = Summarize(samples.cold_total);
    summary.cold_client = Summarize(samples.cold_client);
    summary.warm_up = Summarize(samples.warm_up);
    summary.warm = Summarize(samples.warm);
    summary.warm_client = Summarize(samples.warm_client);
    summary.cold_billed_ms = Mean(samples.cold_billed);
    summary.warm_billed_ms = Mean(samples.warm_billed);
    SummarizeEngine(record, i, summary);
    summary.cost_per_million = CostPerMillion(record, summary, prices);
  }
  return summaries;
}

std::vector<Pair> ComparedPairs(const Record& record) {
  std::map<std::string, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < record.functions.size(); ++i) {
    groups[record.functions[i].group].push_back(i);
  }
  std::vector<Pair> pairs;
  for (const auto& [group, members] : groups) {
    const auto jit = std::ranges::find_if(
        members, [&](std::size_t i) { return record.functions[i].mode == "jit"; });
    const std::size_t reference = jit == members.end() ? members.front() : *jit;
    for (const std::size_t member : members) {
      if (member != reference) pairs.push_back({reference, member});
    }
  }
  return pairs;
}

std::string LabelOf(const Record& record, std::size_t function) {
  const Function& named = record.functions[function];
  const auto same = std::ranges::count(record.functions, named.name, &Function::name);
  return same > 1 ? fmt::format("{} {} MB", named.name, named.memory_mb) : named.name;
}

}  // namespace kelvin::lab
