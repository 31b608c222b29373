#include "cli/compare.h"

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
#include "cli/payload.h"
#include "cli/version.h"

namespace kelvin::cli {
namespace {

constexpr std::string_view kStopping =
    "\nkelvin: stopping after the current invoke; Ctrl-C again ends at once\n";

std::expected<lab::PriceTable, Error> ReadPrices(const CompareOptions& options) {
  if (options.prices.empty()) return lab::ParsePriceTable(lab::BuiltInPrices());
  const auto text = ReadFile(options.prices);
  if (!text) return std::unexpected(text.error());
  auto prices = lab::ParsePriceTable(*text);
  if (!prices) prices.error().message = options.prices + ": " + prices.error().message;
  return prices;
}

lab::Record NewRecord(const CompareOptions& options, const lab::PriceTable& prices) {
  lab::Record record;
  record.tool = ToolName();
  record.command = CompareCommand(options);
  record.endpoint = options.endpoint_url;
  record.pricing = {prices.date, options.region, options.cold_share};
  record.machine = lab::ReadMachine();
  return record;
}

int CompareAtEndpoint(const CompareOptions& options, const lab::PriceTable& prices,
                      const Host& host) {
  auto lambda = LambdaOptions(host, options.endpoint_url);
  if (!lambda) return Fail(host, lambda.error());
  const auto payload =
      options.payload ? ReadPayload(*options.payload) : std::expected<std::string, Error>("{}");
  if (!payload) return Fail(host, payload.error());
  std::vector<lab::Subject> subjects;
  for (const std::string& name : options.functions) {
    subjects.push_back(lab::Subject{.name = name, .payload = *payload});
  }
  RemoteLambda remote(std::move(*lambda), host);
  lab::Record record = NewRecord(options, prices);
  const InterruptWatch watch([&host] { host.err.write(kStopping); });
  const int exit_code = MeasureAndSave(
      remote.client(), subjects, options, [&watch] { return watch.requested(); }, host, record);
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

int MeasureOn(LocalLambda& local, const Deployment& deployment, const CompareOptions& options,
              const Host& host, lab::Record& record) {
  const InterruptWatch watch([&host] { host.err.write(kStopping); });
  const EmbeddedLambda embedded(local);
  auto lambda = LambdaOptions(host, local.url());
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

int CompareLocally(const CompareOptions& options, const lab::PriceTable& prices, const Host& host) {
  const auto deployment = PlanDeployment(options);
  if (!deployment) return Fail(host, deployment.error());
  lab::Record record = NewRecord(options, prices);
  int exit_code = kExitOk;
  {
    auto state = TemporaryDirectory::Create();
    if (!state) return Fail(host, kExitEnvironment, state.error().message);
    Log log(host.clock, LogLevel::kWarn, host.err.write);
    LocalOptions local_options;
    local_options.state = state->path();
    local_options.region = options.region;
    auto local = LocalLambda::Open(std::move(local_options), host.clock, host.random, log);
    if (!local) return Fail(host, kExitEnvironment, local.error().message);
    record.endpoint = "a local service for the length of the run";
    record.conditions.missing_isolation = (*local)->isolation().missing;
    exit_code = MeasureOn(**local, *deployment, options, host, record);
  }
  return WriteReports(record, options, prices, host, exit_code);
}

}  // namespace

int Compare(const std::vector<std::string>& arguments, const Host& host) {
  auto options = ParseCompare(arguments);
  if (!options) return Report(host, options.error());
  // 32 bits, so that every reader of JSON keeps the number whole.
  if (!options->seed_given) options->plan.seed = host.random.Next() >> 32;
  const auto prices = ReadPrices(*options);
  if (!prices) return Fail(host, prices.error());
  return options->endpoint_url.empty() ? CompareLocally(*options, *prices, host)
                                       : CompareAtEndpoint(*options, *prices, host);
}

}  // namespace kelvin::cli
