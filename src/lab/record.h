#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/describe.hpp>
#include <boost/json.hpp>

#include "lab/engine_line.h"
#include "lab/machine.h"
#include "lab/plan.h"

namespace kelvin::lab {

// The record of a run: everything that was seen, and nothing that was concluded from it. Every
// report is made from a record alone. Member names are the JSON's keys, docs/record.schema.json
// describes them; a change of meaning raises kSchemaVersion.
inline constexpr int kSchemaVersion = 2;

enum class Outcome {
  kOk,
  kFailed,    // the function failed: counted by type, kept out of the statistics
  kRejected,  // not the sample that was asked for (a "cold" one that was warm): taken again
};

// "cold", "warm_up", "warm" and "ok", "failed", "rejected", as the record spells them.
std::string_view SampleKindName(SampleKind kind);
std::string_view OutcomeName(Outcome outcome);

// One invoke. Times are milliseconds.
struct Sample {
  std::size_t function = 0;  // index into Record::functions
  SampleKind kind = SampleKind::kCold;
  Outcome outcome = Outcome::kOk;
  std::string reason = {};   // the error type, or why it was rejected; empty for kOk
  std::size_t step = 0;      // of the plan, counted from 0; a rejected one is taken again
  int invoke = 0;            // 1 for the first of its environment; 0 where that is not known
  std::string started = {};  // ISO 8601, UTC
  double client_ms = 0;      // from request to answer, as the client saw it
  std::string request_id = {};
  std::optional<double> init_ms = {};
  double duration_ms = 0;
  std::int64_t billed_ms = 0;
  int max_memory_mb = 0;
  std::string report = {};  // the REPORT line as it came; empty where none did
  std::optional<EngineCounters> engine = {};
};

// A function under measurement, as it was configured.
struct Function {
  std::string name = {};
  std::string group = {};  // what it is a build of; functions of a group are compared
  std::string mode = {};   // jit, r2r, aot; empty where nobody said
  std::string arn = {};
  std::string runtime = {};
  std::string architecture = {};
  int memory_mb = 0;
  int tmp_mb = 0;  // size of /tmp
  int timeout_seconds = 0;
  std::uint64_t code_size = 0;                      // bytes of the package
  std::optional<std::uint64_t> unpacked_size = {};  // bytes of its files, where they were at hand
  std::string code_sha256 = {};                     // base64, as Lambda gives it
  std::string payload = {};
  std::string abandoned = {};  // why its measurement was given up; empty otherwise
};

struct Settings {
  int cold = 0;
  int warm_up = 0;
  int warm = 0;
  std::optional<double> budget_seconds = {};  // the run ended its phases early to stay within it
};

// What the figures are priced with.
struct Pricing {
  std::string date = {};  // of the price table
  std::string region = {};
  double cold_share = 0;  // of the requests
};

// Where the functions ran, and what that makes of the figures.
struct Conditions {
  std::string target = {};  // "local", "aws" or "endpoint"
  // Of the local service: what its sandboxes enforce, and what this host lacks. Empty elsewhere.
  std::vector<std::string> isolation = {};
  std::vector<std::string> missing_isolation = {};
  double load_end = 0;  // mean runnable processes of the last minute, at the end
  // Client-seen milliseconds of invokes that no process answers: the local service's own part.
  std::vector<double> overhead_ms = {};
};

struct Record {
  int schema_version = kSchemaVersion;
  std::string tool = {};          // "kelvin 0.1.0"
  std::string state = "running";  // then "finished", "interrupted" or "failed"
  std::string started = {};       // ISO 8601, UTC
  std::string finished = {};
  std::vector<std::string> resumed = {};    // when an interrupted run was gone on with
  std::string command = {};                 // repeats the run
  std::vector<std::string> arguments = {};  // the same, word by word, without the program's name
  std::string endpoint = {};
  std::uint64_t seed = 0;
  Settings settings;
  Pricing pricing;
  Machine machine;
  Conditions conditions;
  std::vector<Function> functions = {};
  std::vector<Sample> samples = {};
};

BOOST_DESCRIBE_STRUCT(Machine, (),
                      (cpu_model, cores, memory_mb, kernel, governor, virtualization, cpu_limit,
                       load_1m))
BOOST_DESCRIBE_STRUCT(Sample, (),
                      (function, kind, outcome, reason, step, invoke, started, client_ms,
                       request_id, init_ms, duration_ms, billed_ms, max_memory_mb, report, engine))
BOOST_DESCRIBE_STRUCT(Function, (),
                      (name, group, mode, arn, runtime, architecture, memory_mb, tmp_mb,
                       timeout_seconds, code_size, unpacked_size, code_sha256, payload, abandoned))
BOOST_DESCRIBE_STRUCT(Settings, (), (cold, warm_up, warm, budget_seconds))
BOOST_DESCRIBE_STRUCT(Pricing, (), (date, region, cold_share))
BOOST_DESCRIBE_STRUCT(Conditions, (), (target, isolation, missing_isolation, load_end, overhead_ms))
BOOST_DESCRIBE_STRUCT(Record, (),
                      (schema_version, tool, state, started, finished, resumed, command, arguments,
                       endpoint, seed, settings, pricing, machine, conditions, functions, samples))

void tag_invoke(boost::json::value_from_tag, boost::json::value& json, SampleKind kind);
void tag_invoke(boost::json::value_from_tag, boost::json::value& json, Outcome outcome);

// The record as JSON text, one sample a line, with a line break at the end.
std::string RecordJson(const Record& record);

}  // namespace kelvin::lab
