#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/describe.hpp>

namespace kelvin::lab {

// What the Kelvin engine did in an environment until now, as its log line tells.
struct EngineCounters {
  std::string mode = {};             // jit or r2r
  double load_ms = 0;                // reading the package and making it ready
  std::int64_t tier0_functions = 0;  // compiled ahead or at their first call
  double tier0_ms = 0;
  std::int64_t tier1_functions = 0;  // compiled again because they were hot
  double tier1_ms = 0;
  std::int64_t image_hits = 0;  // functions found in the precompiled image
  std::int64_t image_misses = 0;
  friend bool operator==(const EngineCounters&, const EngineCounters&) = default;
};
BOOST_DESCRIBE_STRUCT(EngineCounters, (),
                      (mode, load_ms, tier0_functions, tier0_ms, tier1_functions, tier1_ms,
                       image_hits, image_misses))

// The last line of a log tail that starts with "KELVIN_ENGINE " and can be read; the engine writes
// one after every invoke that changed its counters. Nothing where there is none: a function without
// the engine, or an invoke that compiled nothing.
std::optional<EngineCounters> FindEngineLine(std::string_view log_tail);

}  // namespace kelvin::lab
