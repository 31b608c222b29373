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

// The samples of one function that count, figure by figure, in the order they were taken. Times are
// milliseconds.
struct SampleColumns {
  std::vector<double> init;  // of cold samples, as all down to cold_billed
  std::vector<double> cold_duration;
  std::vector<double> cold_total;  // init + duration
  std::vector<double> cold_client;
  std::vector<double> cold_billed;
  std::vector<double> warm_up;
  std::vector<double> warm;
  std::vector<double> warm_client;
  std::vector<double> warm_billed;
};

// What a record says of one function; a distribution without samples is none.
struct FunctionSummary {
  std::size_t function = 0;  // index into Record::functions
  SampleColumns samples;
  std::optional<Summary> init;  // as the columns of the same names
  std::optional<Summary> cold_duration;
  std::optional<Summary> cold_total;
  std::optional<Summary> cold_client;
  std::optional<Summary> warm_up;
  std::optional<Summary> warm;
  std::optional<Summary> warm_client;
  double warm_billed_ms = 0;            // mean
  double cold_billed_ms = 0;            // mean
  int max_memory_mb = 0;                // over all samples that went well
  std::map<std::string, int> failures;  // by error type
  int rejected = 0;
  // What the engine had done by the end of a cold start (the median one by tier 0's time) and of
  // the run; none without it.
  std::optional<EngineCounters> engine_cold;
  std::optional<EngineCounters> engine_end;
  // US dollars for a million requests, the cold share of them cold; none without warm samples or
  // without a price for the function's architecture and the region.
  std::optional<double> cost_per_million;
};

// One summary a function, in the record's order.
std::vector<FunctionSummary> Summarize(const Record& record, const PriceTable& prices);

// Two functions of a group: the one the others are held against, and another.
struct Pair {
  std::size_t reference = 0;  // indices into Record::functions
  std::size_t other = 0;
};

// Within each group of two or more: the reference is the function in mode jit, else the first; the
// others follow in the record's order.
std::vector<Pair> ComparedPairs(const Record& record);

// The name of a function, with its memory size where others of the record have the same name.
std::string LabelOf(const Record& record, std::size_t function);

}  // namespace kelvin::lab
