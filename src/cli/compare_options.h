#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "lab/plan.h"

namespace kelvin::cli {

enum class Format { kTable, kJson };

struct CompareOptions {
  std::vector<std::string> functions;  // names; none means all of the configuration
  std::vector<std::string> packages;   // zips
  std::string config = "kelvin.toml";
  std::string endpoint_url;  // empty: a service of its own
  lab::PlanOptions plan;
  bool seed_given = false;             // else the caller draws one
  std::optional<int> memory_mb;        // of what is deployed, instead of what is configured
  std::optional<std::string> payload;  // as given: JSON or a path
  std::string out = "out";
  Format format = Format::kTable;
  double cold_share = 0.01;          // of the requests that the cost is for
  std::string region = "us-east-1";  // whose prices count
  std::string prices;                // a price file instead of the built-in one
};

std::expected<CompareOptions, Stop> ParseCompare(const std::vector<std::string>& arguments);

// The command line that repeats a run: everything that shapes its figures, quoted for a shell.
std::string CompareCommand(const CompareOptions& options);

}  // namespace kelvin::cli
