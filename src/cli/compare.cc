#include "cli/compare.h"

#include <algorithm>
#include <filesystem>
#include <thread>

#include <fmt/format.h>

#include "base/file.h"
#include "cli/compare_options.h"
#include "cli/deployment.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/lambda_endpoint.h"
#include "cli/local_lambda.h"
#include "cli/measure.h"
#include "cli/overhead.h"
#include "cli/payload.h"
#include "cli/records.h"
#include "cli/runtime_options.h"
#include "cli/suggest.h"
#include "cli/version.h"

namespace kelvin::cli {
namespace {

constexpr std::string_view kStopping =
    "\nkelvin: stopping after the current invoke; Ctrl-C again ends at once\n";

lab::Record NewRecord(const CompareOptions& options, const lab::PriceTable& prices) {
  lab::Record record;
  record.tool = ToolName();
  record.endpoint = options.endpoint_url;
  record.pricing = {prices.date, options.region, options.cold_share};
  record.machine = lab::ReadMachine();
  return record;
}

// "aws" for its own endpoints.
std::string TargetName(const aws::ServiceEndpoint& endpoint) {
  return endpoint.address.host.find(".amazonaws.") != std::string::npos ? "aws" : "endpoint";
}

// Lambda does not say which names it would have known.
void SuggestNames(aws::LambdaClient& client, const std::vector<lab::Subject>& subjects,
                  const Host& host) {
  const auto known = client.ListFunctions();
  if (!known) return;
  std::vector<std::string> names;
  for (const auto& function : *known) names.push_back(function.name);
  for (const lab::Subject& subject : subjects) {
    if (std::ranges::find(names, subject.name) != names.end()) continue;
    const std::string suggestion = DidYouMean(subject.name, names);
    if (!suggestion.empty()) {
      host.err.write(fmt::format("kelvin: {}{}\n", subject.name, suggestion));
    }
  }
}

int CompareAtEndpoint(const CompareOptions& options, const lab::PriceTable& prices,
                      const Host& host, lab::Record record) {
  auto lambda =
      LambdaOptions(host, Target{.endpoint_url = options.endpoint_url,
                                 .profile = options.profile,
                                 .region = options.region_given ? options.region : std::string()});
  if (!lambda) return Fail(host, lambda.error());
  const auto payload =
      options.payload ? ReadPayload(*options.payload) : std::expected<std::string, Error>("{}");
  if (!payload) return Fail(host, payload.error());
  std::vector<lab::Subject> subjects;
  for (const std::string& name : options.functions) {
    subjects.push_back(lab::Subject{.name = name, .payload = *payload});
    if (options.sweep_memory.empty()) continue;
    const lab::Subject whole = subjects.back();
    subjects.pop_back();
    for (const int memory : options.sweep_memory) {
      subjects.push_back(whole);
      subjects.back().memory_mb = memory;
      subjects.back().group = name;
    }
  }
  record.conditions.target = TargetName(lambda->endpoint);
  // Where the functions are is what they cost, whoever named the region.
  if (record.conditions.target == "aws" && record.samples.empty()) {
    if (auto priced = CheckRegion(prices, lambda->region); !priced) {
      return Fail(host, priced.error());
    }
    record.pricing.region = lambda->region;
  }
  if (record.endpoint.empty()) record.endpoint = lambda->endpoint.HostHeader();
  RemoteLambda remote(std::move(*lambda), host);
  const InterruptWatch watch([&host] { host.err.write(kStopping); });
  const int exit_code = MeasureAndSave(
      remote.client(), subjects, options, [&watch] { return watch.requested(); }, host, record);
  if (record.samples.empty() && exit_code != kExitOk) SuggestNames(remote.client(), subjects, host);
  return WriteReports(record, options, prices, host, exit_code);
}

// A local service for the length of a run, on a thread of its own.
class EmbeddedLambda {
 public:
  explicit EmbeddedLambda(LocalLambda& local) : local_(local), thread_([&local] { local.Run(); }) {}
  EmbeddedLambda(const EmbeddedLambda&) = delete;
  EmbeddedLambda& operator=(const EmbeddedLambda&) = delete;
  ~EmbeddedLambda() {
    local_.Stop();
    thread_.join();
  }

 private:
  LocalLambda& local_;
  std::thread thread_;
};

int MeasureOn(LocalLambda& local, const std::filesystem::path& state, const Deployment& deployment,
              const CompareOptions& options, const Host& host, lab::Record& record) {
  // Leaving at once skips every destructor, so that what would be left on disk goes here. The
  // sandboxes' helper notices the end and takes the rest away.
  const InterruptWatch watch([&host] { host.err.write(kStopping); },
                             [&state] {
                               std::error_code ignored;
                               std::filesystem::remove_all(state, ignored);
                             });
  const EmbeddedLambda embedded(local);
  auto lambda = LambdaOptions(host, Target{.endpoint_url = local.url()});
  if (!lambda) return Fail(host, lambda.error());
  RemoteLambda remote(std::move(*lambda), host);
  const auto deployed = Deploy(deployment, remote.client(), [&local](const http::Request& request) {
    return local.tables().Handle(request);
  });
  if (!deployed) return Fail(host, deployed.error());
  std::vector<lab::Subject> subjects;
  for (const DeployedFunction& function : deployment.functions) {
    subjects.push_back(function.subject);
  }
  return MeasureAndSave(
      remote.client(), subjects, options, [&watch] { return watch.requested(); }, host, record);
}

std::vector<std::string> InForce(const sandbox::Isolation& isolation) {
  using Isolation = sandbox::Isolation;
  std::vector<std::string> lines;
  if (isolation.memory != Isolation::Memory::kPolled) lines.push_back("memory ceiling by cgroup");
  if (isolation.cpu != Isolation::Cpu::kNone) lines.push_back("CPU share by cgroup");
  if (isolation.freezer != Isolation::Freezer::kSignals) lines.push_back("freezing by cgroup");
  if (isolation.private_mounts) lines.push_back("private mounts");
  if (isolation.unprivileged_user) lines.push_back("unprivileged user");
  return lines;
}

int CompareLocally(const CompareOptions& options, const lab::PriceTable& prices, const Host& host,
                   lab::Record record) {
  const auto deployment = PlanDeployment(options);
  if (!deployment) return Fail(host, deployment.error());
  auto runtimes = FindRuntimes(deployment->runtimes);
  if (!runtimes) return Fail(host, runtimes.error());
  record.conditions.target = "local";
  record.endpoint = "a local service for the length of the run";
  int exit_code = kExitOk;
  {
    auto state = TemporaryDirectory::Create();
    if (!state) return Fail(host, kExitEnvironment, state.error().message);
    // Functions have a user of their own, who must be able to walk to their code.
    std::error_code ignored;
    std::filesystem::permissions(state->path(), std::filesystem::perms(0711), ignored);
    Log log(host.clock, LogLevel::kWarn, host.err.write);
    // While the process still has one thread again afterwards, as the sandboxes' helper needs it.
    record.conditions.overhead_ms = MeasureOverhead(state->path() / "overhead", host);
    LocalOptions local_options;
    local_options.state = state->path();
    local_options.region = options.region;
    local_options.runtimes = std::move(*runtimes);
    auto local = LocalLambda::Open(std::move(local_options), host.clock, host.random, log);
    if (!local) return Fail(host, kExitEnvironment, local.error().message);
    record.conditions.isolation = InForce((*local)->isolation());
    record.conditions.missing_isolation = (*local)->isolation().missing;
    exit_code = MeasureOn(**local, state->path(), *deployment, options, host, record);
  }
  return WriteReports(record, options, prices, host, exit_code);
}

int Measure(CompareOptions options, const Host& host, lab::Record record) {
  const auto prices = ReadPrices(options.prices);
  if (!prices) return Fail(host, prices.error());
  if (auto priced = CheckRegion(*prices, options.region); !priced)
    return Fail(host, priced.error());
  lab::Record fresh = NewRecord(options, *prices);
  if (record.functions.empty()) {
    fresh.arguments = std::move(record.arguments);
    record = std::move(fresh);
  }
  record.command = ShellLine(record.arguments);
  return options.remote ? CompareAtEndpoint(options, *prices, host, std::move(record))
                        : CompareLocally(options, *prices, host, std::move(record));
}

// The options of the run are in its record.
int Resume(const std::string& path, const Host& host) {
  auto record = ReadRecord(path);
  if (!record) return Fail(host, record.error());
  if (record->state == "finished") {
    return Fail(host, kExitUsage,
                fmt::format("expected an interrupted run in {}, it got to its end", path));
  }
  if (record->arguments.empty()) {
    return Fail(host, kExitUsage,
                fmt::format("expected the arguments of the run in {}, found none", path));
  }
  const std::vector<std::string> rest(record->arguments.begin() + 1, record->arguments.end());
  auto options = record->arguments.front() == "sweep" ? ParseSweep(rest) : ParseCompare(rest);
  if (!options) return Report(host, options.error());
  options->plan.seed = record->seed;
  options->resume = path;
  return Measure(std::move(*options), host, std::move(*record));
}

int Start(std::string_view command, const std::vector<std::string>& arguments,
          CompareOptions options, const Host& host) {
  // 32 bits, so that every reader of JSON keeps the number whole.
  if (!options.seed_given) options.plan.seed = host.random.Next() >> 32;
  lab::Record record;
  record.arguments = RepeatArguments(command, arguments, options);
  return Measure(std::move(options), host, std::move(record));
}

}  // namespace

int Compare(const std::vector<std::string>& arguments, const Host& host) {
  auto options = ParseCompare(arguments);
  if (!options) return Report(host, options.error());
  if (!options->records.empty()) return CompareSaved(*options, host);
  if (!options->resume.empty()) return Resume(options->resume, host);
  return Start("compare", arguments, std::move(*options), host);
}

int Sweep(const std::vector<std::string>& arguments, const Host& host) {
  auto options = ParseSweep(arguments);
  if (!options) return Report(host, options.error());
  return Start("sweep", arguments, std::move(*options), host);
}

}  // namespace kelvin::cli
