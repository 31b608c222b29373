#pragma once

#include <expected>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "lab/cost.h"
#include "lab/record.h"
#include "lab/statistics.h"

namespace kelvin::lab {

// What a record says of one function. Times are milliseconds; a distribution without samples is
// none.
struct FunctionSummary {
  std::size_t function = 0;     // index into Record::functions
  std::optional<Summary> init;  // of cold samples, as all down to cold_client
  std::optional<Summary> cold_duration;
  std::optional<Summary> cold_total;   // init + duration
  std::optional<Summary> cold_client;  // as the client saw it
  std::optional<Summary> warm_up;      // duration
  std::optional<Summary> warm;         // duration
  std::optional<Summary> warm_client;
  double warm_billed_ms = 0;            // mean
  double cold_billed_ms = 0;            // mean
  int max_memory_mb = 0;                // over all samples that went well
  std::map<std::string, int> failures;  // by error type
  int rejected = 0;
  // US dollars for a million requests, the cold share of them cold; none without warm samples or
  // without a price for the function's architecture and the region.
  std::optional<double> cost_per_million;
};

// One summary a function, in the record's order.
std::vector<FunctionSummary> Summarize(const Record& record, const PriceTable& prices);

// The best and the worst of a group by one figure, and by how much they differ.
struct Improvement {
  std::size_t best = 0;  // indices into Record::functions
  std::size_t worst = 0;
  double ratio = 1;  // worst / best
  // The 95% intervals of the two medians do not overlap. Always true for figures without one.
  bool clear = true;
};

// Within each group of two or more functions that have the figure. `value` gives a figure, less
// being better, and `interval` its confidence interval, if there is one.
std::vector<Improvement> FindImprovements(
    const Record& record, const std::vector<FunctionSummary>& summaries,
    std::optional<double> (*value)(const FunctionSummary&),
    std::optional<Interval> (*interval)(const FunctionSummary&));

}  // namespace kelvin::lab
