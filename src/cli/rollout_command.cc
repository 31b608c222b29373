#include "cli/rollout_command.h"

#include <fmt/format.h>

#include "cli/deploy_target.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "deploy/metrics.h"
#include "deploy/rollout.h"

namespace kelvin::cli {
namespace {

constexpr std::string_view kExamples =
    "  kelvin rollout create-item --steps 10,25,50,100 --every 5m --abort-if 'errors > 1%' "
    "--abort-if 'p99 > 1.2x'\n"
    "      the newest version, a tenth of the invokes first; back by itself when a rule breaks\n"
    "  kelvin rollout create-item --to 7 --every 30s --endpoint-url http://127.0.0.1:9001\n";

constexpr std::chrono::minutes kCloudWatchDelay{3};

struct RolloutArguments {
  deploy::RolloutOptions options;
  Target target;
};

std::expected<RolloutArguments, Stop> ParseRollout(const std::vector<std::string>& arguments) {
  RolloutArguments parsed;
  std::string steps = "10,25,50,100";
  std::string every = "5m";
  std::vector<std::string> rules;
  Arguments parser("rollout",
                   "Moves an alias to another version step by step, watching errors and durations "
                   "of both, and back when a rule breaks. After an interruption the same command "
                   "goes on.",
                   std::string(kExamples));
  CLI::App& app = parser.app();
  app.add_option("FUNCTION", parsed.options.function, "Name")->required();
  app.add_option("--alias", parsed.options.alias, "Alias")->capture_default_str();
  app.add_option("--to", parsed.options.to, "Version; default: the newest")->type_name("VERSION");
  app.add_option("--steps", steps, "Percentages of the invokes")->capture_default_str();
  app.add_option("--every", every, "Time at each step: 30s, 5m")->capture_default_str();
  app.add_option("--abort-if", rules, "'errors > 1%', 'p99 > 1.2x', 'mean > 50ms'; p50 too")
      ->type_name("RULE");
  parser.AddNumber("--min-invocations", parsed.options.min_invocations, 0, 1'000'000'000,
                   "Stay at a step until the new version had as many");
  AddTargetOptions(parser, parsed.target);
  if (auto done = parser.Parse(arguments); !done) return std::unexpected(done.error());
  auto parsed_steps = deploy::ParseSteps(steps);
  if (!parsed_steps) return std::unexpected(UsageStop(parsed_steps.error().message));
  parsed.options.steps = std::move(*parsed_steps);
  const auto duration = deploy::ParseDuration(every);
  if (!duration) return std::unexpected(UsageStop(duration.error().message));
  parsed.options.every = *duration;
  for (const std::string& text : rules) {
    auto rule = deploy::ParseAbortRule(text);
    if (!rule) return std::unexpected(UsageStop(rule.error().message));
    parsed.options.rules.push_back(std::move(*rule));
  }
  return parsed;
}

}  // namespace

int Rollout(const std::vector<std::string>& arguments, const Host& host) {
  const auto parsed = ParseRollout(arguments);
  if (!parsed) return Report(host, parsed.error());
  auto target = OpenTarget(host, parsed->target);
  if (!target) return Fail(host, target.error());
  deploy::Lambda lambda(*target->api);
  const auto metrics = target->place == deploy::Place::kLocal
                           ? deploy::LocalMetrics(*target->api)
                           : deploy::CloudWatchMetrics(*target->api, host.clock);
  if (target->place == deploy::Place::kAws && parsed->options.every < kCloudWatchDelay) {
    host.err.write(
        "kelvin: CloudWatch is a minute or two behind: with --every below 3m a step may end before "
        "its invokes are seen\n");
  }
  const InterruptWatch watch([&host] {
    host.err.write("\nkelvin: stopping after this look; the alias stays where it is\n");
  });
  const auto outcome = deploy::Rollout(
      lambda, *metrics, host.clock, parsed->options,
      [&host](std::string_view line) { host.out.write(fmt::format("{}\n", line)); },
      [&watch] { return watch.requested(); });
  if (!outcome) {
    return Fail(host, watch.requested() ? kExitInterrupted : kExitEnvironment,
                DeployFailure(outcome.error(), *target));
  }
  if (outcome->aborted_by.empty()) return kExitOk;
  return Fail(host, kExitFinding,
              fmt::format("rolled back to version {}: {}", outcome->from, outcome->aborted_by));
}

}  // namespace kelvin::cli
