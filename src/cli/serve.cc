#include "cli/serve.h"

#include <sstream>

#include <fmt/format.h>

#include "cli/background_writer.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/local_lambda.h"
#include "cli/ready.h"
#include "cli/runtime_options.h"
#include "cli/serve_options.h"

namespace kelvin::cli {
namespace {

std::string Greeting(const ServeOptions& options, const LocalLambda& local) {
  std::string text =
      fmt::format("Lambda and DynamoDB on {} (state in {}{})\n", local.url(), options.state_dir,
                  options.storage == tables::Storage::kEphemeral ? ", tables in memory" : "");
  const auto& missing = local.isolation().missing;
  if (!missing.empty()) text += "This host lets functions be isolated less than AWS does:\n";
  for (const std::string& item : missing) text += fmt::format("  - {}\n", item);
  text += fmt::format(
      "Try:\n"
      "  aws --endpoint-url {0} lambda list-functions\n"
      "  aws --endpoint-url {0} dynamodb list-tables\n"
      "Ctrl-C ends it.\n",
      local.url());
  return text;
}

// Those of the configuration, and those of the command line, which count where both name one.
std::expected<service::ManagedRuntimes, Error> RuntimesOf(const ServeOptions& options) {
  constexpr const char* kConfig = "kelvin.toml";
  std::vector<RuntimeConfig> all;
  std::error_code ignored;
  if (!options.config.empty() || std::filesystem::exists(kConfig, ignored)) {
    auto config = ReadConfig(options.config.empty() ? kConfig : options.config);
    if (!config) return std::unexpected(std::move(config.error()));
    all = std::move(config->runtimes);
  }
  all.insert(all.end(), options.runtimes.begin(), options.runtimes.end());
  return FindRuntimes(all);
}

// Lines of ACCESS_KEY_ID SECRET_ACCESS_KEY; "#" begins a comment.
std::expected<std::vector<aws::Credentials>, Error> ReadCredentials(const std::string& file) {
  std::vector<aws::Credentials> all;
  if (file.empty()) return all;
  const auto text = ReadFile(file, std::size_t{1} << 20);
  if (!text) return std::unexpected(text.error());
  std::istringstream lines(*text);
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    std::istringstream words(line);
    std::string key_id, secret, more;
    words >> key_id >> secret >> more;
    if (key_id.empty() || key_id.starts_with('#')) continue;
    if (secret.empty() || !more.empty()) {
      return std::unexpected(
          Error{ErrorCode::kInvalidArgument,
                fmt::format("{}:{}: expected ACCESS_KEY_ID SECRET_ACCESS_KEY", file, number)});
    }
    all.push_back({key_id, secret, ""});
  }
  if (all.empty()) {
    return std::unexpected(Error{
        ErrorCode::kInvalidArgument,
        fmt::format("expected lines of ACCESS_KEY_ID SECRET_ACCESS_KEY in {}, found none", file)});
  }
  return all;
}

}  // namespace

int Serve(const std::vector<std::string>& arguments, const Host& host) {
  const auto options = ParseServe(arguments);
  if (!options) return Report(host, options.error());
  // The service answers on one thread, which must never wait for who reads its output.
  BackgroundWriter out(host.out.fd);
  BackgroundWriter err(host.err.fd);
  auto runtimes = RuntimesOf(*options);
  if (!runtimes) return Fail(host, kExitUsage, runtimes.error().message);
  auto credentials = ReadCredentials(options->credentials_file);
  if (!credentials) return Fail(host, kExitUsage, credentials.error().message);
  Log log(host.clock, LogLevel::kInfo, [&err](std::string_view line) { err.Write(line); });
  auto local = LocalLambda::Open({.listen = {options->host, options->port},
                                  .state = options->state_dir,
                                  .region = options->region,
                                  .storage = options->storage,
                                  .sync = options->sync,
                                  .runtimes = std::move(*runtimes),
                                  .credentials = std::move(*credentials),
                                  .function_log =
                                      [&out](std::string_view function, std::string_view line) {
                                        out.Write(fmt::format("[{}] {}\n", function, line));
                                      }},
                                 host.clock, host.random, log);
  if (!local) return Fail(host, kExitEnvironment, local.error().message);
  for (BackgroundWriter* writer : {&out, &err}) {
    if (auto started = writer->Start(); !started) {
      return Fail(host, kExitEnvironment, started.error().message);
    }
  }
  const InterruptWatch watch([&] { (*local)->Stop(); });
  host.out.write(Greeting(*options, **local));
  if (auto told = TellReady(options->ready, (*local)->url()); !told) {
    return Fail(host, kExitEnvironment, told.error().message);
  }
  (*local)->Run();
  return kExitOk;
}

}  // namespace kelvin::cli
