#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "lab/report.h"
#include "lab/summary.h"

namespace kelvin::lab {

// One memory size of a sweep.
struct SweepPoint {
  std::size_t function = 0;  // index into Record::functions
  int memory_mb = 0;
  double duration_ms = 0;  // mean of the warm invokes
  double usd = 0;          // a million requests
};

// The functions that have both figures, by memory size.
std::vector<SweepPoint> SweepPoints(const Record& record,
                                    const std::vector<FunctionSummary>& summaries);

// For each point whether no other is at least as good in both figures and better in one.
std::vector<bool> ParetoFront(const std::vector<SweepPoint>& points);

enum class Strategy {
  kCost,      // the cheapest; of equals the fastest
  kSpeed,     // the fastest; of equals the cheapest
  kBalanced,  // the least of w x cost / highest cost + (1 - w) x duration / longest duration
};

// The index of the point to take; none among none. `cost_weight` is w.
std::optional<std::size_t> Recommend(const std::vector<SweepPoint>& points, Strategy strategy,
                                     double cost_weight);

// Table, front and recommendation of each strategy, the asked one first.
struct SweepChoice {
  Strategy strategy = Strategy::kBalanced;
  double cost_weight = 0.5;
};
std::string SweepReport(const Record& record, const PriceTable& prices, const SweepChoice& choice,
                        const Style& style);

}  // namespace kelvin::lab
