#include "cli/compare_options.h"

#include <charconv>
#include <limits>

#include <fmt/format.h>

namespace kelvin::cli {
namespace {

constexpr std::string_view kExamples =
    "  kelvin compare\n"
    "      every function of kelvin.toml, on a local service made for the run\n"
    "  kelvin compare hello --cold 50 --warm 1000\n"
    "      one of them, more thoroughly\n"
    "  kelvin compare before.zip after.zip --payload event.json --memory 512\n"
    "      any two packages for provided.al2023\n"
    "  kelvin compare hello-jit hello-aot --endpoint-url http://127.0.0.1:9001\n"
    "      functions that a running service already has\n"
    "  kelvin compare --json | jq '.samples[] | select(.kind == \"cold\") | .init_ms'\n"
    "      the raw record\n";

constexpr std::string_view kConfigDefault = "kelvin.toml";

bool IsPlain(std::string_view word) {
  return !word.empty() && word.find_first_not_of(
                              "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                              "-_./:=,@%+") == std::string_view::npos;
}

std::string Quoted(std::string_view word) {
  if (IsPlain(word)) return std::string(word);
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

CLI::Validator ShareOfRequests() {
  return CLI::Validator(
      [](const std::string& text) {
        double share = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), share);
        if (error == std::errc{} && end == text.data() + text.size() && share >= 0 && share <= 1) {
          return std::string();
        }
        return fmt::format("expected a share from 0 to 1, such as 0.01, got '{}'", text);
      },
      "");
}

std::expected<void, Stop> Check(const CompareOptions& options) {
  if (options.plan.cold + options.plan.warm == 0) {
    return std::unexpected(
        UsageStop("expected --cold or --warm to be at least 1, got 0 for both; nothing would be "
                  "measured"));
  }
  if (options.endpoint_url.empty()) return {};
  if (!options.packages.empty()) {
    return std::unexpected(UsageStop(
        fmt::format("expected the names of functions at {}, got the package {}; deploy it there "
                    "first, or leave --endpoint-url away to measure it on a local service",
                    options.endpoint_url, options.packages.front())));
  }
  if (options.functions.empty()) {
    return std::unexpected(UsageStop(fmt::format(
        "expected the name of at least one function at {}, got none", options.endpoint_url)));
  }
  if (options.memory_mb) {
    return std::unexpected(
        UsageStop("expected --memory without --endpoint-url, got both; functions that exist keep "
                  "their memory size"));
  }
  return {};
}

}  // namespace

std::expected<CompareOptions, Stop> ParseCompare(const std::vector<std::string>& arguments) {
  CompareOptions options;
  std::vector<std::string> subjects;
  int memory = 0;
  std::string payload;
  bool json = false;
  constexpr int kMaxSamples = 1'000'000;
  Arguments parser("compare",
                   "Measures functions, cold and warm, in random order, and compares them. Writes "
                   "compare.json, with every raw sample, and compare.md.",
                   std::string(kExamples));
  CLI::App& app = parser.app();
  app.add_option("FUNCTION|ZIP", subjects,
                 "Functions of the configuration or at the endpoint, or packages; default: every "
                 "function of the configuration");
  app.add_option("--config", options.config, "What to deploy")
      ->type_name("FILE")
      ->capture_default_str();
  app.add_option("--endpoint-url", options.endpoint_url,
                 "Measure functions that exist at this Lambda endpoint")
      ->type_name("URL");
  parser.AddNumber("--cold", options.plan.cold, 0, kMaxSamples, "Cold samples a function");
  parser.AddNumber("--warm", options.plan.warm, 0, kMaxSamples, "Warm samples a function");
  parser.AddNumber("--warm-up", options.plan.warm_up, 0, kMaxSamples,
                   "Invokes between the two, reported apart");
  CLI::Option* seed =
      parser.AddNumber("--seed", options.plan.seed, 0, std::numeric_limits<std::int64_t>::max(),
                       "Of the random order; drawn, and recorded, unless given");
  seed->default_str("");
  CLI::Option* memory_option = parser.AddNumber("--memory", memory, 128, 10240,
                                                "MB, instead of what the configuration says");
  memory_option->default_str("");
  CLI::Option* payload_option =
      app.add_option("--payload", payload, "JSON, or a file with JSON, for every function")
          ->type_name("JSON|FILE");
  app.add_option("--out", options.out, "Folder for the results")
      ->type_name("FOLDER")
      ->capture_default_str();
  app.add_flag("--json", json, "Print the record instead of the table");
  app.add_option("--cold-share", options.cold_share, "Share of cold requests in the cost")
      ->type_name("SHARE")
      ->capture_default_str()
      ->check(ShareOfRequests());
  app.add_option("--region", options.region, "Whose prices count")
      ->type_name("REGION")
      ->capture_default_str();
  app.add_option("--prices", options.prices, "Price file instead of the built-in one")
      ->type_name("FILE");
  if (auto parsed = parser.Parse(arguments); !parsed) return std::unexpected(parsed.error());
  for (std::string& subject : subjects) {
    (subject.ends_with(".zip") ? options.packages : options.functions)
        .push_back(std::move(subject));
  }
  options.seed_given = seed->count() > 0;
  if (memory_option->count() > 0) options.memory_mb = memory;
  if (payload_option->count() > 0) options.payload = payload;
  if (json) options.format = Format::kJson;
  if (auto checked = Check(options); !checked) return std::unexpected(checked.error());
  return options;
}

std::string CompareCommand(const CompareOptions& options) {
  std::string command = "kelvin compare";
  const auto add = [&](std::string_view name, std::string_view value) {
    command += fmt::format(" {} {}", name, Quoted(value));
  };
  for (const std::string& function : options.functions) command += ' ' + Quoted(function);
  for (const std::string& package : options.packages) command += ' ' + Quoted(package);
  if (options.config != kConfigDefault) add("--config", options.config);
  if (!options.endpoint_url.empty()) add("--endpoint-url", options.endpoint_url);
  add("--cold", std::to_string(options.plan.cold));
  add("--warm", std::to_string(options.plan.warm));
  add("--warm-up", std::to_string(options.plan.warm_up));
  add("--seed", std::to_string(options.plan.seed));
  if (options.memory_mb) add("--memory", std::to_string(*options.memory_mb));
  if (options.payload) add("--payload", *options.payload);
  add("--cold-share", fmt::format("{:g}", options.cold_share));
  add("--region", options.region);
  if (!options.prices.empty()) add("--prices", options.prices);
  return command;
}

}  // namespace kelvin::cli
