#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "aws/lambda_client.h"
#include "base/clock.h"
#include "base/error.h"
#include "lab/plan.h"
#include "lab/record.h"
#include "lab/sampler.h"

namespace kelvin::lab {

// A function to measure. Group and mode are taken from the tags kelvin:function and kelvin:mode
// where they are left empty.
struct Subject {
  std::string name;
  std::string payload = "{}";
  std::string group = {};
  std::string mode = {};
  std::optional<int> memory_mb = {};                // to measure it at; default as configured
  std::optional<std::uint64_t> unpacked_size = {};  // bytes, where the package is at hand
};

// How far a run is.
struct Progress {
  std::size_t done = 0;
  std::size_t planned = 0;
  SampleKind kind = SampleKind::kCold;  // of the sample about to be taken
  std::string_view function = {};       // likewise
  std::size_t cold_left = 0;            // samples to take, that one included
  std::size_t warm_left = 0;            // warm-up and warm ones
  double warm_guess_ms = 0;  // what a warm one will take, judged by the cold ones' part after init
  std::optional<double> budget_left_seconds = {};
};

struct RunOptions {
  PlanOptions plan;
  SamplerOptions sampler;
  // Each phase ends with the round in which its part of this is spent: half for the cold samples.
  std::optional<std::chrono::milliseconds> budget = {};
  // A share of failures above this gives a function up.
  double max_failures = 0.10;
  // Samples of one step that may be rejected in a row before the function is given up.
  int max_rejections = 5;
};

// What the caller sees and decides while a run goes on; all are called between samples.
struct RunHooks {
  std::function<void(const Progress&)> on_progress = [](const Progress&) {};
  std::function<bool()> stop_requested = [] { return false; };
  // Keeps the record; a failure ends the run.
  std::function<std::expected<void, Error>(const Record&)> save =
      [](const Record&) -> std::expected<void, Error> { return {}; };
};

// Measures `subjects` by a plan made from the options and fills in the record: functions, samples,
// settings, seed, state and times; the rest is the caller's. A record that has functions already is
// gone on with after its last sample: the options must be those of its run, and the functions too
// (kInvalidArgument where they are not). The record's started must then be set. The functions are
// left as they were found, however the run ends. Fails when Lambda cannot be worked with or a
// function does not exist; the record then holds what was measured until then. A function given up
// does not fail the run: see Function::abandoned.
std::expected<void, Error> Run(aws::LambdaClient& client, const Clock& clock,
                               const std::vector<Subject>& subjects, const RunOptions& options,
                               const RunHooks& hooks, Record& record);

}  // namespace kelvin::lab
