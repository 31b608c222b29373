#include "cli/function_specs.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/file.h"
#include "cli/config.h"
#include "cli/engine_layer.h"
#include "cli/suggest.h"
#include "package/zip.h"

namespace kelvin::cli {
namespace {

using Map = std::map<std::string, std::string>;

std::unexpected<Error> Invalid(std::string message) {
  return std::unexpected(Error{ErrorCode::kInvalidArgument, std::move(message)});
}

std::expected<Map, Error> ParsePairs(const std::vector<std::string>& arguments,
                                     std::string_view option) {
  Map pairs;
  for (const std::string& argument : arguments) {
    const std::size_t equals = argument.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Invalid(fmt::format("expected {} NAME=VALUE, got '{}'", option, argument));
    }
    pairs[argument.substr(0, equals)] = argument.substr(equals + 1);
  }
  return pairs;
}

bool IsZip(const std::string& name) {
  return name.ends_with(".zip") || name.contains('/');
}

// Which of the names of an operation the program holds; of a package, its bootstrap.
std::vector<std::string> ActionsOf(const package::Contents& contents) {
  const package::PackagedFile* program = contents.Find("bootstrap");
  return program != nullptr ? deploy::DynamoDbActions(program->content)
                            : std::vector<std::string>();
}

std::expected<void, Error> ChooseRuntime(const SpecOptions& options,
                                         const package::Identity& identity,
                                         deploy::FunctionSpec& spec) {
  const bool managed_dotnet = identity.language == ".NET" && identity.model != package::Model::kAot;
  spec.strategy = managed_dotnet ? deploy::Strategy::kManaged : deploy::Strategy::kCustom;
  if (!options.strategy.empty()) spec.strategy = *deploy::ParseStrategy(options.strategy);
  if (spec.strategy == deploy::Strategy::kManaged) spec.runtime = "dotnet8";
  if (!options.runtime.empty()) spec.runtime = options.runtime;
  spec.handler = options.handler.empty() ? "bootstrap" : options.handler;
  if (spec.strategy == deploy::Strategy::kManaged && options.handler.empty()) {
    return Invalid(
        fmt::format("expected --handler for {}, which runs on a managed runtime; for "
                    ".NET it is Assembly::Namespace.Class::Method",
                    spec.name));
  }
  return {};
}

std::expected<deploy::LayerSpec, Error> LayerFrom(const std::filesystem::path& path) {
  auto zip = ReadFile(path);
  if (!zip) {
    return Invalid(fmt::format("expected the ARN of a layer's version, or a zip, got {}: {}",
                               path.native(), zip.error().message));
  }
  deploy::LayerSpec layer{.name = path.stem().native()};
  const bool named = !layer.name.empty() && layer.name.size() <= 140 &&
                     std::ranges::all_of(layer.name, [](unsigned char c) {
                       return std::isalnum(c) != 0 || c == '-' || c == '_';
                     });
  if (!named) {
    return Invalid(
        fmt::format("expected the zip of a layer to be named with letters, digits, - "
                    "and _, as the layer will be, got {}",
                    path.native()));
  }
  layer.package.sha256 = package::CodeSha256(*zip);
  layer.package.zip = std::move(*zip);
  return layer;
}

std::expected<std::vector<deploy::LayerSpec>, Error> LayersOf(const SpecOptions& options,
                                                              const std::filesystem::path& package,
                                                              const package::Contents& contents) {
  std::vector<deploy::LayerSpec> layers;
  const auto engine = EngineLayerOf(package, contents);
  // Another that was given may bring the engine, too.
  if (!engine && options.layers.empty()) return std::unexpected(engine.error());
  std::vector<std::string> all = options.layers;
  if (engine && !engine->empty()) all.insert(all.begin(), *engine);
  for (const std::string& given : all) {
    if (given.starts_with("arn:")) {
      layers.push_back({.arn = given});
      continue;
    }
    auto layer = LayerFrom(given);
    if (!layer) return std::unexpected(std::move(layer.error()));
    layers.push_back(std::move(*layer));
  }
  if (layers.size() <= 5) return layers;
  return Invalid(fmt::format("expected at most 5 layers, got {}{}", layers.size(),
                             engine.value_or("").empty() ? "" : " with Kelvin's engine"));
}

std::expected<SpecifiedFunction, Error> Specify(const SpecOptions& options, std::string name,
                                                const std::filesystem::path& path,
                                                const FunctionConfig& config) {
  SpecifiedFunction function;
  auto zip = ReadFile(path);
  if (!zip && zip.error().code == ErrorCode::kNotFound) {
    return Invalid(fmt::format(
        "expected the package {}, found no such file; build it with '{}', or name "
        "another",
        path.native(), options.architecture == "arm64" ? "make packages-arm64" : "make build"));
  }
  if (!zip) return std::unexpected(std::move(zip.error()));
  const auto contents = package::ReadContents(*zip, path.native());
  if (!contents) return std::unexpected(contents.error());
  package::InspectOptions inspect;
  auto layers = LayersOf(options, path, *contents);
  if (!layers) return std::unexpected(std::move(layers.error()));
  function.layers = std::move(*layers);
  inspect.bootstrap_from_layer = !function.layers.empty();
  auto report = package::Inspect(*contents, inspect);
  if (!report) return std::unexpected(std::move(report.error()));

  deploy::FunctionSpec& spec = function.spec;
  spec.name = std::move(name);
  if (auto chosen = ChooseRuntime(options, report->identity, spec); !chosen) {
    return std::unexpected(std::move(chosen.error()));
  }
  if (report->identity.architecture == "arm64") spec.architecture = "arm64";
  spec.memory_mb = options.memory_mb.value_or(config.memory_mb);
  spec.timeout_seconds = options.timeout_seconds.value_or(config.timeout_seconds);
  auto environment = ParsePairs(options.environment, "--env");
  if (!environment) return std::unexpected(std::move(environment.error()));
  spec.environment = std::move(*environment);
  spec.environment.insert(config.environment.begin(), config.environment.end());
  auto tags = ParsePairs(options.tags, "--tag");
  if (!tags) return std::unexpected(std::move(tags.error()));
  spec.tags = std::move(*tags);
  for (const deploy::LayerSpec& layer : function.layers) spec.layers.push_back(layer.arn);
  spec.alias = options.alias;
  spec.role = options.role;
  spec.log_retention_days = options.log_retention_days.value_or(spec.log_retention_days);
  spec.actions = ActionsOf(*contents);
  for (const std::string& action : options.actions) spec.actions.push_back(action);
  spec.tables = options.tables;
  spec.zip_path = path.native();
  function.package.sha256 = package::CodeSha256(*zip);
  function.package.zip = std::move(*zip);
  function.report = std::move(*report);
  return function;
}

std::expected<SpecifiedFunctions, Error> FromConfig(const SpecOptions& options) {
  const auto config = ReadConfig(options.config);
  if (!config) return std::unexpected(config.error());
  SpecifiedFunctions all;
  for (const TableConfig& table : config->tables) all.tables.push_back(SpecOf(table));
  std::vector<std::string> known;
  for (const FunctionConfig& function : config->functions) known.push_back(function.name);
  for (const std::string& name : options.functions) {
    if (std::ranges::find(known, name) != known.end()) continue;
    return Invalid(fmt::format("expected a function of {} ({}) or a zip, got {}{}", options.config,
                               fmt::join(known, ", "), name, DidYouMean(name, known)));
  }
  for (const FunctionConfig& function : config->functions) {
    const auto& wanted = options.functions;
    if (!wanted.empty() && std::ranges::find(wanted, function.name) == wanted.end()) continue;
    const bool arm = options.architecture == "arm64";
    const auto& packages = arm ? function.packages_arm64 : function.packages;
    const auto package = packages.find(options.mode);
    if (package == packages.end()) {
      return Invalid(fmt::format("expected {}.{} of function {} in {}, there is none",
                                 arm ? "packages_arm64" : "packages", options.mode, function.name,
                                 options.config));
    }
    auto specified = Specify(options, function.name, package->second, function);
    if (!specified) return std::unexpected(std::move(specified.error()));
    // A function that names a table in its environment uses it.
    for (const deploy::TableSpec& table : all.tables) {
      for (const auto& [name, value] : specified->spec.environment) {
        if (value == table.name) specified->spec.tables.push_back(table.name);
      }
    }
    all.functions.push_back(std::move(*specified));
  }
  return all;
}

}  // namespace

deploy::TableSpec SpecOf(const TableConfig& table) {
  deploy::TableSpec spec{
      .name = table.name, .hash_key = table.hash_key.name, .hash_type = table.hash_key.type};
  if (table.range_key) {
    spec.range_key = table.range_key->name;
    spec.range_type = table.range_key->type;
  }
  return spec;
}

void AddSpecOptions(Arguments& parser, SpecOptions& options) {
  CLI::App& app = parser.app();
  app.add_option("FUNCTION", options.functions,
                 "Names in the configuration, or a zip; default: every function of it");
  app.add_option("--config", options.config, "The functions and tables")
      ->type_name("FILE")
      ->capture_default_str();
  app.add_option("--mode", options.mode, "Which of a function's packages")->capture_default_str();
  app.add_option("--arch", options.architecture,
                 "Which of a function's packages, x86_64 or arm64; a zip tells it itself")
      ->check(CLI::IsMember({"x86_64", "arm64"}))
      ->capture_default_str();
  app.add_option("--name", options.name, "The function's name, for a zip; default: the file's");
  parser.AddNumber("--memory", options.memory_mb, 128, 10240, "Memory in MB");
  parser.AddNumber("--timeout", options.timeout_seconds, 1, 900, "Time-out in seconds");
  app.add_option("--runtime", options.runtime,
                 "Lambda runtime; default: provided.al2023, or dotnet8 for assemblies");
  app.add_option("--handler", options.handler, "Handler, for a managed runtime");
  app.add_option("--alias", options.alias, "Alias that callers use")->capture_default_str();
  app.add_option("--role", options.role, "ARN of a role; default: one with least privilege");
  parser.AddNumber("--log-retention", options.log_retention_days, 1, 3653,
                   "Days to keep logs; default: 14, or as it is");
  app.add_option("--env", options.environment, "Environment variable")->type_name("NAME=VALUE");
  app.add_option("--layer", options.layers,
                 "ARN of a layer's version, or a zip that is published as one, in order")
      ->type_name("ARN|ZIP");
  app.add_option("--tag", options.tags, "Tag")->type_name("NAME=VALUE");
  app.add_option("--allow", options.actions, "Action for the role, beyond those in the program")
      ->type_name("ACTION");
  app.add_option("--table", options.tables, "Table that the actions are for")->type_name("NAME");
}

std::expected<SpecifiedFunctions, Error> ReadSpecs(const SpecOptions& options) {
  const auto zips = std::ranges::count_if(options.functions, IsZip);
  if (zips == 0) return FromConfig(options);
  if (options.functions.size() != 1) {
    return Invalid("expected one zip, or names of functions in the configuration, got both");
  }
  const std::filesystem::path path = options.functions.front();
  auto specified = Specify(options, options.name.empty() ? path.stem().native() : options.name,
                           path, FunctionConfig());
  if (!specified) return std::unexpected(std::move(specified.error()));
  SpecifiedFunctions all;
  all.functions.push_back(std::move(*specified));
  return all;
}

}  // namespace kelvin::cli
