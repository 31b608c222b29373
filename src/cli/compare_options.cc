#include "cli/compare_options.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <limits>

#include <fmt/format.h>

#include "cli/runtime_options.h"

namespace kelvin::cli {
namespace {

constexpr std::string_view kExamples =
    "  kelvin compare\n"
    "      every function of kelvin.toml, on a local service made for the run\n"
    "  kelvin compare hello --cold 50 --warm 1000\n"
    "      one of them, more thoroughly\n"
    "  kelvin compare before.zip after.zip --payload event.json --memory 512\n"
    "      any two packages for provided.al2023\n"
    "  kelvin compare hello.zip index.zip --runtime nodejs20.x=runtimes/node --handler "
    "index.handler\n"
    "      the second, which has no bootstrap, on Node.js\n"
    "  kelvin compare hello-jit hello-aot --endpoint-url http://127.0.0.1:9001\n"
    "      functions that a running service already has\n"
    "  kelvin compare --function arn:aws:lambda:eu-west-1:123456789012:function:f --profile work\n"
    "      a function on AWS\n"
    "  kelvin compare --resume\n"
    "      go on with a run that was interrupted\n"
    "  kelvin compare base.json new.json --fail-if 'cold.p50 > 10%' --summary pr.md\n"
    "      two saved records: exit status 1 when a rule is broken\n"
    "  kelvin compare --json | jq '.samples[] | select(.kind == \"cold\") | .init_ms'\n"
    "      the raw record\n";

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

// The last part of an ARN's first seven: "arn:aws:lambda:eu-west-1:...".
std::string RegionOfArn(std::string_view arn) {
  std::size_t start = 0;
  for (int colon = 0; colon < 3; ++colon) start = arn.find(':', start) + 1;
  return std::string(arn.substr(start, arn.find(':', start) - start));
}

bool IsLambdaArn(std::string_view text) {
  return text.starts_with("arn:") && text.find(":lambda:") != std::string_view::npos;
}

// "30s", "2m", or plain seconds.
std::expected<std::chrono::milliseconds, Stop> ParseBudget(const std::string& text) {
  double amount = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const double scale = unit == "m" ? 60 : 1;
  const bool known = unit.empty() || unit == "s" || unit == "m";
  constexpr double kMaxSeconds = 1e6;
  if (error != std::errc{} || !known || !(amount > 0) || amount * scale > kMaxSeconds) {
    return std::unexpected(
        UsageStop(fmt::format("expected --budget to be a time such as 90s or 5m, got '{}'", text)));
  }
  return std::chrono::milliseconds(static_cast<std::int64_t>(amount * scale * 1000));
}

std::unexpected<Stop> Wrong(std::string message) {
  return std::unexpected(UsageStop(std::move(message)));
}

std::expected<void, Stop> CheckRemote(const CompareOptions& options) {
  if (!options.packages.empty()) {
    return Wrong(fmt::format(
        "expected the names of functions that exist, got the package {}; deploy it there first, or "
        "leave --endpoint-url, --function and --profile away to measure it on a local service",
        options.packages.front()));
  }
  if (options.functions.empty() && options.resume.empty()) {
    return Wrong(fmt::format("expected the name of at least one function at {}, got none",
                             options.endpoint_url.empty() ? "AWS" : options.endpoint_url));
  }
  if (options.memory_mb) {
    return Wrong(
        "expected --memory only for what is deployed for the run; functions that exist keep "
        "their memory size ('kelvin sweep' tries others)");
  }
  return {};
}

std::expected<void, Stop> Check(const CompareOptions& options) {
  if (options.plan.cold + options.plan.warm == 0) {
    return Wrong(
        "expected --cold or --warm to be at least 1, got 0 for both; nothing would be measured");
  }
  if (!options.records.empty() && options.records.size() != 2) {
    return Wrong(fmt::format("expected two records to compare, got {}: the base and the new one",
                             options.records.size()));
  }
  if (!options.records.empty() && options.functions.size() + options.packages.size() > 0) {
    return Wrong("expected two records and nothing else, got functions or packages too");
  }
  if (options.records.empty() && (!options.fail_if.empty() || !options.summary.empty())) {
    return Wrong(
        "expected two records with --fail-if and --summary, as in 'kelvin compare base.json "
        "new.json --fail-if \"cold.p50 > 10%\"', got none");
  }
  return options.remote ? CheckRemote(options) : std::expected<void, Stop>{};
}

// The options that compare and sweep share, and what they come to.
class MeasureArguments {
 public:
  explicit MeasureArguments(Arguments& parser) {
    CLI::App& app = parser.app();
    app.add_option("--function", functions_, "Measure a function that exists: name or ARN")
        ->type_name("ARN");
    app.add_option("--endpoint-url", options_.endpoint_url,
                   "Lambda endpoint of functions that exist; default for those: AWS")
        ->type_name("URL");
    app.add_option("--profile", options_.profile, "Credentials and region of ~/.aws for AWS")
        ->type_name("NAME");
    region_ = app.add_option("--region", options_.region,
                             "Of the functions on AWS, and whose prices count")
                  ->type_name("REGION")
                  ->capture_default_str();
    app.add_option("--config", options_.config, "What to deploy")
        ->type_name("FILE")
        ->capture_default_str();
    app.add_option("--runtime", runtime_,
                   "What given packages without a bootstrap run on: a managed runtime and its "
                   "folder")
        ->type_name("NAME=FOLDER");
    app.add_option("--handler", options_.handler, "Their handler, such as index.handler")
        ->type_name("NAME");
    parser.AddNumber("--cold", options_.plan.cold, 0, kMaxSamples, "Cold samples a function");
    parser.AddNumber("--warm", options_.plan.warm, 0, kMaxSamples, "Warm samples a function");
    parser.AddNumber("--warm-up", options_.plan.warm_up, 0, kMaxSamples,
                     "Invokes between the two, reported apart");
    app.add_option("--budget", budget_, "Time for the whole run, such as 90s: fewer samples")
        ->type_name("TIME");
    seed_ =
        parser.AddNumber("--seed", options_.plan.seed, 0, std::numeric_limits<std::int64_t>::max(),
                         "Of the random order; drawn, and recorded, unless given");
    seed_->default_str("");
    payload_option_ =
        app.add_option("--payload", payload_,
                       "JSON, a file with JSON, or an example event, for every function")
            ->type_name("JSON|FILE|example:NAME");
    app.add_option("--out", options_.out, "Folder for the results")
        ->type_name("FOLDER")
        ->capture_default_str();
    app.add_flag("--json", json_, "Print the record instead of the table");
    app.add_option("--cold-share", options_.cold_share, "Share of cold requests in the cost")
        ->type_name("SHARE")
        ->capture_default_str()
        ->check(ShareOfRequests());
    app.add_option("--prices", options_.prices, "Price file instead of the built-in one")
        ->type_name("FILE");
  }

  CompareOptions& options() { return options_; }

  // After parsing: `subjects` are the command's own words.
  std::expected<CompareOptions, Stop> Finish(std::vector<std::string> subjects) {
    for (std::string& subject : subjects) {
      auto& where = subject.ends_with(".zip")    ? options_.packages
                    : subject.ends_with(".json") ? options_.records
                                                 : options_.functions;
      where.push_back(std::move(subject));
    }
    options_.remote = !functions_.empty() || !options_.endpoint_url.empty() ||
                      !options_.profile.empty() ||
                      std::ranges::any_of(options_.functions, IsLambdaArn);
    for (std::string& function : functions_) options_.functions.push_back(std::move(function));
    options_.region_given = region_->count() > 0;
    for (const std::string& function : options_.functions) {
      if (options_.region_given || !IsLambdaArn(function)) continue;
      options_.region = RegionOfArn(function);
      options_.region_given = true;
    }
    options_.seed_given = seed_->count() > 0;
    if (payload_option_->count() > 0) options_.payload = payload_;
    if (json_) options_.format = Format::kJson;
    if (runtime_.empty() != options_.handler.empty()) {
      return Wrong("expected --runtime and --handler together, got one of them");
    }
    if (!runtime_.empty()) {
      auto runtime = ParseRuntime(runtime_);
      if (!runtime) return Wrong(std::move(runtime.error().message));
      options_.runtime = std::move(*runtime);
    }
    if (!budget_.empty()) {
      auto budget = ParseBudget(budget_);
      if (!budget) return std::unexpected(budget.error());
      options_.budget = *budget;
    }
    if (auto checked = Check(options_); !checked) return std::unexpected(checked.error());
    return options_;
  }

 private:
  static constexpr int kMaxSamples = 1'000'000;
  CompareOptions options_;
  std::vector<std::string> functions_;
  std::string payload_;
  std::string budget_;
  std::string runtime_;
  bool json_ = false;
  CLI::Option* region_ = nullptr;
  CLI::Option* seed_ = nullptr;
  CLI::Option* payload_option_ = nullptr;
};

constexpr std::string_view kSweepExamples =
    "  kelvin sweep transform --memory 128,256,512,1024,1769\n"
    "      a function of kelvin.toml, on a local service made for the run\n"
    "  kelvin sweep function.zip --memory 128,512 --strategy cost\n"
    "      any package; the cheapest size is recommended\n"
    "  kelvin sweep --function arn:aws:lambda:eu-west-1:123456789012:function:f --profile work\n"
    "      a function on AWS; it gets its memory size back\n";

constexpr int kMinMemory = 128;
constexpr int kMaxMemory = 10240;

}  // namespace

std::expected<CompareOptions, Stop> ParseCompare(const std::vector<std::string>& arguments) {
  std::vector<std::string> subjects;
  int memory = 0;
  Arguments parser("compare",
                   "Measures functions, cold and warm, in random order, and compares them. Writes "
                   "compare.json, with every raw sample, and compare.md, .csv and .html. With two "
                   "records, compares those.",
                   std::string(kExamples));
  MeasureArguments measure(parser);
  CLI::App& app = parser.app();
  app.add_option("FUNCTION|ZIP|RECORD", subjects,
                 "Functions of the configuration or that exist elsewhere, packages, or two records "
                 "(.json); default: every function of the configuration");
  CLI::Option* memory_option = parser.AddNumber("--memory", memory, kMinMemory, kMaxMemory,
                                                "MB, instead of what the configuration says");
  memory_option->default_str("");
  CLI::Option* resume = app.add_option("--resume", measure.options().resume,
                                       "Go on with an interrupted run; default: the one in --out")
                            ->type_name("RECORD")
                            ->expected(0, 1);
  app.add_option("--fail-if", measure.options().fail_if,
                 "Of two records: a rule such as 'cold.p50 > 10%'; may be given several times")
      ->type_name("RULE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--summary", measure.options().summary,
                 "Of two records: a file for the comparison as Markdown")
      ->type_name("FILE");
  if (auto parsed = parser.Parse(arguments); !parsed) return std::unexpected(parsed.error());
  if (memory_option->count() > 0) measure.options().memory_mb = memory;
  if (resume->count() > 0 && measure.options().resume.empty()) {
    const std::string journal = measure.options().out + "/compare.journal";
    std::error_code ignored;
    measure.options().resume = std::filesystem::exists(journal, ignored)
                                   ? journal
                                   : measure.options().out + "/compare.json";
  }
  return measure.Finish(std::move(subjects));
}

std::expected<CompareOptions, Stop> ParseSweep(const std::vector<std::string>& arguments) {
  std::vector<std::string> subjects;
  std::vector<std::string> sizes = {"128", "256", "512", "1024", "1769"};
  std::string strategy = "balanced";
  Arguments parser(
      "sweep",
      "Measures one function at several memory sizes, draws cost against duration, and "
      "recommends a size. Writes sweep.json, .md, .csv and .html.",
      std::string(kSweepExamples));
  MeasureArguments measure(parser);
  CLI::App& app = parser.app();
  app.add_option("FUNCTION|ZIP", subjects, "The function, or its package");
  app.add_option("--memory", sizes, "Sizes in MB")
      ->type_name("N,N,...")
      ->delimiter(',')
      ->default_str("128,256,512,1024,1769");
  app.add_option("--strategy", strategy, "cost, speed or balanced")
      ->check(CLI::IsMember({"cost", "speed", "balanced"}))
      ->capture_default_str();
  app.add_option("--cost-weight", measure.options().sweep.cost_weight,
                 "Weight of cost against duration in 'balanced', 0 to 1")
      ->check(ShareOfRequests())
      ->type_name("SHARE")
      ->capture_default_str();
  if (auto parsed = parser.Parse(arguments); !parsed) return std::unexpected(parsed.error());
  for (const std::string& size : sizes) {
    int memory = 0;
    const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), memory);
    if (error != std::errc{} || end != size.data() + size.size() || memory < kMinMemory ||
        memory > kMaxMemory) {
      return Wrong(
          fmt::format("expected --memory to be sizes from {} to {} MB, such as 128,512, "
                      "got '{}'",
                      kMinMemory, kMaxMemory, size));
    }
    measure.options().sweep_memory.push_back(memory);
  }
  measure.options().sweep.strategy = strategy == "cost"    ? lab::Strategy::kCost
                                     : strategy == "speed" ? lab::Strategy::kSpeed
                                                           : lab::Strategy::kBalanced;
  auto options = measure.Finish(std::move(subjects));
  if (options && options->functions.size() + options->packages.size() != 1) {
    return Wrong(fmt::format("expected one function or package to sweep, got {}",
                             options->functions.size() + options->packages.size()));
  }
  return options;
}

std::vector<std::string> RepeatArguments(std::string_view command,
                                         const std::vector<std::string>& arguments,
                                         const CompareOptions& options) {
  std::vector<std::string> words = {std::string(command)};
  words.insert(words.end(), arguments.begin(), arguments.end());
  if (!options.seed_given) {
    words.insert(words.end(), {"--seed", std::to_string(options.plan.seed)});
  }
  return words;
}

std::string ShellLine(const std::vector<std::string>& arguments) {
  std::string line = "kelvin";
  for (const std::string& argument : arguments) line += ' ' + Quoted(argument);
  return line;
}

}  // namespace kelvin::cli
