#include "cli/deploy_command.h"

#include <chrono>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/deploy_target.h"
#include "cli/exit_code.h"
#include "cli/file_watch.h"
#include "cli/function_specs.h"
#include "cli/interrupt.h"
#include "deploy/tables.h"

namespace kelvin::cli {
namespace {

// A build writes one package after the other; they are deployed together.
constexpr std::chrono::milliseconds kQuiet{50};

constexpr std::string_view kExamples =
    "  kelvin deploy --endpoint-url http://127.0.0.1:9001\n"
    "      every function of kelvin.toml, to 'kelvin serve' on this machine\n"
    "  kelvin deploy --endpoint-url http://127.0.0.1:9001 --watch\n"
    "      the same, and again whenever a build has made a package anew\n"
    "  kelvin deploy --dry-run create-item\n"
    "      what would change on AWS; --profile and --region say as whom and where\n"
    "  kelvin deploy create-item --memory 256 --tag team=checkout --url none\n"
    "  kelvin deploy function.zip --name api --env TABLE_NAME=items --allow dynamodb:Query --table "
    "items\n";

struct DeployArguments {
  SpecOptions specs;
  Target target;
  std::string bucket;
  std::string url;
  bool dry_run = false;
  bool unchecked = false;
  bool leave_alias = false;
  bool watch = false;
};

std::expected<DeployArguments, Stop> ParseDeploy(const std::vector<std::string>& arguments) {
  DeployArguments parsed;
  Arguments parser(
      "deploy",
      "Creates or updates functions with role, environment (merged), tags, a published "
      "version and an alias. Doing it again changes nothing; after an interruption it "
      "goes on.",
      std::string(kExamples));
  AddSpecOptions(parser, parsed.specs);
  AddTargetOptions(parser, parsed.target);
  CLI::App& app = parser.app();
  app.add_flag("--dry-run", parsed.dry_run,
               "Print the difference from what is there, change nothing");
  app.add_flag("--no-check", parsed.unchecked, "Deploy what 'kelvin inspect' says will not start");
  app.add_flag("--no-alias-move", parsed.leave_alias,
               "Publish a version and leave the alias where it is, for 'kelvin rollout'");
  app.add_option(
      "--bucket", parsed.bucket,
      "S3 bucket for packages beyond 50 MB; default: kelvin-deploy-ACCOUNT-REGION, which is "
      "made when it is needed");
  app.add_option("--url", parsed.url, "Make a function URL for the alias: none or iam")
      ->check(CLI::IsMember({"none", "iam"}));
  app.add_flag("--watch", parsed.watch,
               "Deploy again whenever a package or the configuration changes, until Ctrl-C")
      ->excludes("--dry-run");
  if (auto done = parser.Parse(arguments); !done) return std::unexpected(done.error());
  return parsed;
}

std::expected<void, Error> CheckStarts(const SpecifiedFunction& function) {
  if (function.report.Count(package::Area::kStart, package::Severity::kError) == 0) return {};
  std::vector<std::string> reasons;
  for (const package::Finding& finding : function.report.findings) {
    if (finding.rule->area != package::Area::kStart ||
        finding.severity != package::Severity::kError) {
      continue;
    }
    reasons.push_back(
        fmt::format("{} {}: {}", finding.rule->id, finding.rule->name, finding.evidence));
  }
  return std::unexpected(
      Error{ErrorCode::kInvalidArgument,
            fmt::format(
                "{} would not start ({}); see 'kelvin inspect {}', or deploy it all the same with "
                "--no-check",
                function.spec.name, fmt::join(reasons, "; "), function.spec.zip_path)});
}

enum class Unchanged { kSay, kLeaveOut };

void Show(const deploy::Plan& plan, const std::string& name, Unchanged unchanged,
          const Host& host) {
  if (plan.changes.empty()) {
    if (unchanged == Unchanged::kSay) host.out.write(fmt::format("{}: no change\n", name));
    return;
  }
  host.out.write(fmt::format("{}:\n", name));
  for (const deploy::Change& change : plan.changes) {
    if (change.from.empty()) {
      host.out.write(fmt::format("  + {}: {}\n", change.what, change.to));
    } else {
      host.out.write(fmt::format("  ~ {}: {} -> {}\n", change.what, change.from, change.to));
    }
  }
}

int FailAfter(const Host& host, const DeployTarget& target, const Error& error,
              const std::vector<std::string>& done) {
  const std::string so_far =
      done.empty() ? std::string("nothing was changed")
                   : fmt::format("done so far: {}; run the same command again to go on",
                                 fmt::join(done, ", "));
  const int code = error.code == ErrorCode::kInvalidArgument ? kExitUsage : kExitEnvironment;
  return Fail(host, code, fmt::format("{} ({})", DeployFailure(error, target), so_far));
}

int DeployOne(const DeployArguments& arguments, const SpecifiedFunction& function,
              Unchanged unchanged, DeployTarget& target, const Host& host) {
  deploy::Lambda lambda(*target.api);
  deploy::DeployRequest request{
      .spec = function.spec,
      .package = function.package,
      .place = target.place,
      .alias_move = arguments.leave_alias ? deploy::AliasMove::kLeave : deploy::AliasMove::kMove,
      .region = target.region,
      .bucket = arguments.bucket,
      .layers = function.layers,
      .layers_given = !arguments.specs.layers.empty(),
      .log_retention_given = arguments.specs.log_retention_days.has_value(),
      .url_auth = {}};
  if (!arguments.url.empty()) request.url_auth = arguments.url == "iam" ? "AWS_IAM" : "NONE";
  const auto plan = deploy::MakePlan(*target.api, lambda, host.clock, request);
  if (!plan) return FailAfter(host, target, plan.error(), {});
  Show(*plan, function.spec.name, unchanged, host);
  if (arguments.dry_run || plan->changes.empty()) return kExitOk;
  std::vector<std::string> done;
  const auto outcome = deploy::Apply(*target.api, lambda, host.clock, request, *plan, done);
  if (!outcome) return FailAfter(host, target, outcome.error(), done);
  for (const std::string& step : outcome->done) host.out.write(fmt::format("  {}\n", step));
  if (!outcome->url.empty()) host.out.write(fmt::format("  {}\n", outcome->url));
  if (!outcome->note.empty()) host.out.write(fmt::format("  {}\n", outcome->note));
  return kExitOk;
}

// On AWS tables live longer than functions: a template or whoever owns them makes them.
std::expected<void, Error> MakeLocalTables(const DeployArguments& arguments,
                                           const std::vector<deploy::TableSpec>& tables,
                                           DeployTarget& target, const Host& host) {
  if (target.place != deploy::Place::kLocal) return {};
  for (const deploy::TableSpec& table : tables) {
    const auto there = deploy::HasTable(*target.api, table.name);
    if (!there) return std::unexpected(there.error());
    if (*there) continue;
    host.out.write(fmt::format("{}:\n  + table: {}\n", table.name, table.name));
    if (arguments.dry_run) continue;
    if (auto made = deploy::MakeTable(*target.api, table); !made) return made;
    host.out.write("  created the table\n");
  }
  return {};
}

int DeployAll(const DeployArguments& arguments, const SpecifiedFunctions& specified,
              Unchanged unchanged, DeployTarget& target, const Host& host) {
  for (const SpecifiedFunction& function : specified.functions) {
    if (arguments.unchecked) break;
    if (auto starts = CheckStarts(function); !starts) {
      return Fail(host, kExitFinding, starts.error().message);
    }
  }
  if (auto made = MakeLocalTables(arguments, specified.tables, target, host); !made) {
    return FailAfter(host, target, made.error(), {});
  }
  for (const SpecifiedFunction& function : specified.functions) {
    const int code = DeployOne(arguments, function, unchanged, target, host);
    if (code != kExitOk) return code;
  }
  return kExitOk;
}

// Watches what the functions are made of. True when something of it was not watched before, and so
// may have changed since it was read.
std::expected<bool, Error> Follow(FileWatch& watch, const DeployArguments& arguments,
                                  const SpecifiedFunctions& specified) {
  std::vector<std::string> files;
  std::error_code ignored;
  const std::string& config = arguments.specs.config;
  if (std::filesystem::exists(config, ignored)) files.push_back(config);
  for (const SpecifiedFunction& function : specified.functions) {
    files.push_back(function.spec.zip_path);
  }
  bool any_new = false;
  for (const std::string& file : files) {
    const auto added = watch.Add(file);
    if (!added) return added;
    any_new = any_new || *added;
  }
  return any_new;
}

// What there is to deploy; the watch tells of every change to it from then on.
std::expected<SpecifiedFunctions, Error> ReadWatched(FileWatch& watch,
                                                     const DeployArguments& arguments) {
  for (;;) {
    auto specified = ReadSpecs(arguments.specs);
    if (!specified) return specified;
    const auto any_new = Follow(watch, arguments, *specified);
    if (!any_new) return std::unexpected(any_new.error());
    if (!*any_new) return specified;
  }
}

// Once all is watched, what cannot be deployed is said, and tried again at the next change.
int DeployOnChange(const DeployArguments& arguments, DeployTarget& target, const Host& host) {
  auto watch = FileWatch::Create();
  if (!watch) return Fail(host, watch.error());
  const InterruptWatch interrupts([&watch] { watch->Stop(); });
  auto specified = ReadWatched(*watch, arguments);
  if (!specified) return Fail(host, specified.error());
  (void)DeployAll(arguments, *specified, Unchanged::kSay, target, host);
  host.err.write("Watching what it was deployed from; Ctrl-C ends\n");
  for (;;) {
    const auto end = watch->Wait(kQuiet);
    if (!end) return Fail(host, end.error());
    if (*end == FileWatch::End::kStopped) return kExitOk;
    specified = ReadWatched(*watch, arguments);
    if (specified) {
      (void)DeployAll(arguments, *specified, Unchanged::kLeaveOut, target, host);
    } else {
      (void)Fail(host, specified.error());
    }
  }
}

}  // namespace

int Deploy(const std::vector<std::string>& arguments, const Host& host) {
  const auto parsed = ParseDeploy(arguments);
  if (!parsed) return Report(host, parsed.error());
  const auto specified = ReadSpecs(parsed->specs);
  if (!specified) return Fail(host, specified.error());
  auto target = OpenTarget(host, parsed->target);
  if (!target) return Fail(host, target.error());
  host.err.write(fmt::format(
      "{} ({}{})\n", parsed->dry_run ? "Comparing" : "Deploying", target->where,
      target->place == deploy::Place::kLocal ? ", a local service: no role, no S3" : ""));
  if (parsed->watch) return DeployOnChange(*parsed, *target, host);
  return DeployAll(*parsed, *specified, Unchanged::kSay, *target, host);
}

}  // namespace kelvin::cli
