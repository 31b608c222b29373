#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/arguments.h"
#include "cli/config.h"
#include "deploy/deployment.h"
#include "deploy/template.h"
#include "package/inspect.h"

namespace kelvin::cli {

// What 'template' and 'deploy' take alike: which functions, and how they shall be.
struct SpecOptions {
  std::vector<std::string> functions;  // names in the configuration, or zips; empty: all
  std::string config = "kelvin.toml";
  std::string mode = "aot";
  std::string architecture = "x86_64";  // which packages of the configuration
  std::string name;                     // of the one zip
  std::optional<int> memory_mb;
  std::optional<int> timeout_seconds;
  std::string runtime;  // empty: by what the package is
  std::string handler;
  std::string strategy;  // empty: by what the package is
  std::string alias = "live";
  std::string role;
  std::optional<int> log_retention_days;  // default 14
  std::vector<std::string> environment;   // NAME=VALUE
  std::vector<std::string> layers;        // ARNs, or zips to publish
  std::vector<std::string> tags;          // NAME=VALUE
  std::vector<std::string> actions;       // beyond those found in the program
  std::vector<std::string> tables;        // beyond those of the configuration
};

// Adds the options to a command.
void AddSpecOptions(Arguments& parser, SpecOptions& options);

struct SpecifiedFunction {
  deploy::FunctionSpec spec;
  deploy::Package package;
  std::vector<deploy::LayerSpec> layers;  // the engine's where it is needed, then those given
  package::InspectReport report;
};

struct SpecifiedFunctions {
  std::vector<SpecifiedFunction> functions;
  std::vector<deploy::TableSpec> tables;
};

// A table of the configuration.
deploy::TableSpec SpecOf(const TableConfig& table);

// Reads configuration and packages. Architecture, runtime and the actions of the role come from the
// packages themselves. kInvalidArgument for what is not known or cannot be found.
std::expected<SpecifiedFunctions, Error> ReadSpecs(const SpecOptions& options);

}  // namespace kelvin::cli
