#include "cli/deployment.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/file.h"
#include "cli/engine_layer.h"
#include "cli/function_specs.h"
#include "cli/payload.h"
#include "cli/suggest.h"
#include "deploy/tables.h"
#include "package/contents.h"
#include "package/elf_file.h"
#include "package/elf_machine.h"
#include "package/zip.h"

namespace kelvin::cli {
namespace {

namespace json = boost::json;

constexpr std::string_view kModes[] = {"jit", "r2r", "aot"};

std::unexpected<Error> Invalid(std::string message) {
  return std::unexpected(Error{ErrorCode::kInvalidArgument, std::move(message)});
}

std::expected<std::string, Error> ReadPackage(const std::string& path, std::string_view remedy) {
  auto zip = ReadFile(path);
  if (zip || zip.error().code != ErrorCode::kNotFound) return zip;
  return Invalid(fmt::format("expected the package {}, found no such file; {}", path, remedy));
}

// "hello-aot" for a function of the configuration, "hello-nodejs20x" for one of a runtime.
std::string DeployedName(const FunctionConfig& function, std::string mode) {
  std::erase(mode, '.');
  return fmt::format("{}-{}", function.name, mode);
}

bool IsWanted(const CompareOptions& options, const FunctionConfig& function,
              const std::string& mode) {
  if (options.functions.empty()) return true;
  return std::ranges::any_of(options.functions, [&](const std::string& name) {
    return name == function.name || name == DeployedName(function, mode);
  });
}

std::expected<void, Error> CheckNames(const CompareOptions& options, const Config& config) {
  std::vector<std::string> known;
  for (const FunctionConfig& function : config.functions) {
    known.push_back(function.name);
    for (const auto& [mode, path] : function.packages)
      known.push_back(DeployedName(function, mode));
  }
  for (const std::string& name : options.functions) {
    if (std::ranges::find(known, name) != known.end()) continue;
    return Invalid(fmt::format("expected a function of {} ({}), got {}{}", options.config,
                               fmt::join(known, ", "), name, DidYouMean(name, known)));
  }
  if (config.functions.empty()) {
    return Invalid(
        fmt::format("expected at least one [[function]] in {}, found none", options.config));
  }
  return {};
}

std::expected<std::string, Error> PayloadOf(const CompareOptions& options,
                                            const FunctionConfig& function) {
  if (options.payload) return ReadPayload(*options.payload);
  if (!function.event) return "{}";
  auto payload = ReadJsonFile(function.event->native());
  if (!payload) {
    payload.error().message += fmt::format(" (the event of function {})", function.name);
  }
  return payload;
}

std::expected<DeployedFunction, Error> FromConfig(const CompareOptions& options,
                                                  const FunctionConfig& function,
                                                  const std::string& mode,
                                                  const std::filesystem::path& path) {
  auto zip = ReadPackage(path.native(),
                         "build it ('make build', or 'cmake --build build' in a project of your "
                         "own), or correct the path in " +
                             options.config);
  if (!zip) return std::unexpected(std::move(zip.error()));
  auto payload = PayloadOf(options, function);
  if (!payload) return std::unexpected(std::move(payload.error()));
  DeployedFunction deployed;
  deployed.package = path.native();
  deployed.input.name = DeployedName(function, mode);
  deployed.input.zip = std::move(*zip);
  deployed.input.memory_mb = options.memory_mb.value_or(function.memory_mb);
  deployed.input.timeout_seconds = function.timeout_seconds;
  deployed.input.environment = function.environment;
  deployed.input.tags = {{"kelvin:function", function.name}, {"kelvin:mode", mode}};
  if (const auto handler = function.handlers.find(mode); handler != function.handlers.end()) {
    deployed.input.runtime = mode;
    deployed.input.handler = handler->second;
  }
  deployed.subject = {.name = deployed.input.name, .payload = std::move(*payload)};
  return deployed;
}

// What the package itself tells: which machine it is for, and whether it needs the engine.
std::expected<void, Error> LookInside(DeployedFunction& deployed) {
  const auto contents = package::ReadContents(deployed.input.zip, deployed.package);
  if (!contents) return {};  // for the service to refuse
  if (const package::PackagedFile* program = contents->Find("bootstrap")) {
    const auto elf = package::ReadElf(program->content);
    if (elf && package::ElfMachineName(elf->machine) == "arm64") {
      deployed.input.architecture = "arm64";
    }
  }
  auto layer = EngineLayerOf(deployed.package, *contents);
  if (!layer) return std::unexpected(std::move(layer.error()));
  deployed.engine_layer = std::move(*layer);
  return {};
}

// Neither a program nor code for the engine.
bool NeedsRuntime(const std::string& path, const std::string& zip) {
  const auto contents = package::ReadContents(zip, path);
  return contents && contents->Find("function.bc") == nullptr &&
         contents->Find("bootstrap") == nullptr;
}

// A function name made of a file's: what Lambda does not allow in one becomes a dash.
std::string NameFromFile(const std::filesystem::path& path) {
  constexpr std::size_t kMaxName = 60;
  std::string name = path.stem().native().substr(0, kMaxName);
  for (char& c : name) {
    const bool allowed = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                         (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (!allowed) c = '-';
  }
  return name.empty() ? "function" : name;
}

std::string ModeFromName(std::string_view name) {
  constexpr std::string_view kArm = "-arm64";
  if (name.ends_with(kArm)) name.remove_suffix(kArm.size());
  for (const std::string_view mode : kModes) {
    if (name.ends_with(fmt::format("-{}", mode))) return std::string(mode);
  }
  return {};
}

bool IsTaken(const Deployment& deployment, const std::string& name) {
  return std::ranges::any_of(deployment.functions,
                             [&](const auto& function) { return function.input.name == name; });
}

std::expected<DeployedFunction, Error> FromPackage(const CompareOptions& options,
                                                   const std::string& path,
                                                   const Deployment& so_far) {
  constexpr int kTimeoutSeconds = 30;
  auto zip = ReadPackage(path, "give the path of a zip with a bootstrap in it");
  if (!zip) return std::unexpected(std::move(zip.error()));
  auto payload = options.payload ? ReadPayload(*options.payload) : std::string("{}");
  if (!payload) return std::unexpected(std::move(payload.error()));
  const std::string name = NameFromFile(path);
  DeployedFunction deployed;
  deployed.package = path;
  deployed.input.name = name;
  for (int n = 2; IsTaken(so_far, deployed.input.name); ++n) {
    deployed.input.name = fmt::format("{}-{}", name, n);
  }
  deployed.input.zip = std::move(*zip);
  deployed.input.memory_mb = options.memory_mb.value_or(deployed.input.memory_mb);
  deployed.input.timeout_seconds = kTimeoutSeconds;
  std::string mode = ModeFromName(name);
  if (options.runtime && NeedsRuntime(path, deployed.input.zip)) {
    mode = deployed.input.runtime = options.runtime->name;
    deployed.input.handler = options.handler;
  }
  if (!mode.empty()) deployed.input.tags = {{"kelvin:mode", mode}};
  deployed.subject = {.name = deployed.input.name, .payload = std::move(*payload)};
  return deployed;
}

// The files of a package, unpacked for as long as it takes to look at them.
struct PackageFacts {
  std::string mode;
  std::optional<std::uint64_t> unpacked_size;
};

PackageFacts LookInto(const std::string& zip) {
  PackageFacts facts;
  const auto folder = TemporaryDirectory::Create();
  if (!folder) return facts;
  const auto unpacked = package::UnpackZip(zip, folder->path());
  if (!unpacked) return facts;  // creating the function will say what is wrong with it
  facts.unpacked_size = unpacked->bytes;
  const auto manifest = ReadFile(folder->path() / "kelvin.json");
  if (!manifest) return facts;
  boost::system::error_code error;
  const json::value document = json::parse(*manifest, error);
  const json::object* object = error ? nullptr : document.if_object();
  const json::value* mode = object == nullptr ? nullptr : object->if_contains("mode");
  if (mode != nullptr && mode->is_string()) facts.mode = mode->get_string();
  return facts;
}

// What the package itself says: its mode where nobody else did, and how large it is unpacked. The
// engine is asked to tell what it compiles.
void Complete(DeployedFunction& function) {
  const PackageFacts facts = LookInto(function.input.zip);
  auto& mode = function.input.tags["kelvin:mode"];
  if (!facts.mode.empty()) mode = facts.mode;
  if (mode.empty()) mode = "aot";
  function.subject.unpacked_size = facts.unpacked_size;
  function.input.environment.emplace("KELVIN_ENGINE_LOG", "1");
}

// A copy of each function for each memory size, measured side by side.
void SpreadOverMemory(const std::vector<int>& sizes, Deployment& deployment) {
  const std::vector<DeployedFunction> originals = std::exchange(deployment.functions, {});
  for (const DeployedFunction& original : originals) {
    for (const int memory : sizes) {
      DeployedFunction copy = original;
      copy.input.name = fmt::format("{}-{}", original.input.name, memory);
      copy.input.memory_mb = memory;
      copy.subject.name = copy.input.name;
      copy.input.tags.try_emplace("kelvin:function", original.input.name);
      deployment.functions.push_back(std::move(copy));
    }
  }
}

http::Request CreateTableRequest(const TableConfig& table) {
  return http::Request{
      .method = "POST",
      .target = "/",
      .headers = {{"Content-Type", "application/x-amz-json-1.0"},
                  {"X-Amz-Target", "DynamoDB_20120810.CreateTable"},
                  {"Authorization",
                   "AWS4-HMAC-SHA256 Credential=kelvin/20260101/us-east-1/dynamodb/"
                   "aws4_request, SignedHeaders=host, Signature=kelvin"},
                  {"X-Amz-Date", "20260101T000000Z"}},
      .body = deploy::CreateTableBody(SpecOf(table))};
}

std::expected<std::string, Error> PublishOnce(const std::string& path, aws::LambdaClient& client,
                                              std::map<std::string, std::string>& published) {
  if (const auto found = published.find(path); found != published.end()) return found->second;
  const auto zip = ReadFile(path);
  if (!zip) return std::unexpected(zip.error());
  auto arn = client.PublishLayer("kelvin-engine", *zip);
  if (!arn) {
    arn.error().message = fmt::format("cannot publish the layer {}: {}", path, arn.error().message);
    return arn;
  }
  published[path] = *arn;
  return arn;
}

}  // namespace

std::expected<Deployment, Error> PlanDeployment(const CompareOptions& options) {
  Deployment deployment;
  if (options.packages.empty() || !options.functions.empty()) {
    const auto config = ReadConfig(options.config);
    if (!config) return std::unexpected(config.error());
    if (auto checked = CheckNames(options, *config); !checked) {
      return std::unexpected(std::move(checked.error()));
    }
    deployment.tables = config->tables;
    deployment.runtimes = config->runtimes;
    for (const FunctionConfig& function : config->functions) {
      for (const auto& [mode, path] : function.packages) {
        if (!IsWanted(options, function, mode)) continue;
        auto deployed = FromConfig(options, function, mode, path);
        if (!deployed) return std::unexpected(std::move(deployed.error()));
        if (auto added = LookInside(*deployed); !added) {
          return std::unexpected(std::move(added.error()));
        }
        deployment.functions.push_back(std::move(*deployed));
      }
    }
  }
  for (const std::string& path : options.packages) {
    auto deployed = FromPackage(options, path, deployment);
    if (!deployed) return std::unexpected(std::move(deployed.error()));
    if (auto added = LookInside(*deployed); !added) {
      return std::unexpected(std::move(added.error()));
    }
    deployment.functions.push_back(std::move(*deployed));
  }
  if (options.runtime) deployment.runtimes.push_back(*options.runtime);
  if (!options.sweep_memory.empty()) SpreadOverMemory(options.sweep_memory, deployment);
  for (DeployedFunction& function : deployment.functions) Complete(function);
  return deployment;
}

std::expected<void, Error> Deploy(
    const Deployment& deployment, aws::LambdaClient& client,
    const std::function<http::Response(const http::Request&)>& tables) {
  for (const TableConfig& table : deployment.tables) {
    const http::Response response = tables(CreateTableRequest(table));
    if (response.status != 200) {
      return Invalid(fmt::format("cannot create table {}: {}", table.name, response.body));
    }
  }
  std::map<std::string, std::string> layers;  // ARNs of what is published, by path
  for (const DeployedFunction& function : deployment.functions) {
    aws::CreateFunctionInput input = function.input;
    if (!function.engine_layer.empty()) {
      auto arn = PublishOnce(function.engine_layer, client, layers);
      if (!arn) return std::unexpected(std::move(arn.error()));
      input.layers = {std::move(*arn)};
    }
    const auto created = client.CreateFunction(input);
    if (!created) {
      Error error = created.error();
      error.message = fmt::format("cannot create function {} from {}: {}", function.input.name,
                                  function.package, error.message);
      return std::unexpected(std::move(error));
    }
  }
  return {};
}

}  // namespace kelvin::cli
