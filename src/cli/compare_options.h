#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "cli/config.h"
#include "lab/plan.h"
#include "lab/sweep.h"

namespace kelvin::cli {

enum class Format { kTable, kJson };

struct CompareOptions {
  std::vector<std::string> functions;  // names; none means all of the configuration
  std::vector<std::string> packages;   // zips
  // What packages without a bootstrap run on, and their handler.
  std::optional<RuntimeConfig> runtime;
  std::string handler;
  std::string config = "kelvin.toml";
  std::string endpoint_url;  // empty: AWS where `remote`, else a service of its own
  std::string profile;       // of ~/.aws
  bool remote = false;       // functions that exist somewhere, rather than ones to deploy
  lab::PlanOptions plan;
  bool seed_given = false;             // else the caller draws one
  std::optional<int> memory_mb;        // of what is deployed, instead of what is configured
  std::optional<std::string> payload;  // as given: JSON or a path
  std::string out = "out";
  Format format = Format::kTable;
  std::optional<std::chrono::milliseconds> budget;  // for the whole run
  std::string resume;                               // the record or journal to go on with
  std::vector<int> sweep_memory;                    // MB; not empty for a sweep
  lab::SweepChoice sweep;
  std::vector<std::string> records;  // two saved records to compare, instead of measuring
  std::vector<std::string> fail_if;
  std::string summary;               // where the comparison of two records goes as Markdown
  double cold_share = 0.01;          // of the requests that the cost is for
  std::string region = "us-east-1";  // whose prices count, and of the functions on AWS
  bool region_given = false;
  std::string prices;  // a price file instead of the built-in one
};

std::expected<CompareOptions, Stop> ParseCompare(const std::vector<std::string>& arguments);
std::expected<CompareOptions, Stop> ParseSweep(const std::vector<std::string>& arguments);

// The words that repeat a run, the command's name first: those it was given, and its seed.
std::vector<std::string> RepeatArguments(std::string_view command,
                                         const std::vector<std::string>& arguments,
                                         const CompareOptions& options);
// The same as one line for a shell.
std::string ShellLine(const std::vector<std::string>& arguments);

}  // namespace kelvin::cli
