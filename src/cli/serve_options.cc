#include "cli/serve_options.h"

#include <fmt/format.h>

#include "cli/runtime_options.h"
#include "cli/tables_options.h"

namespace kelvin::cli {
namespace {

constexpr std::string_view kExamples =
    "  kelvin serve\n"
    "      Lambda and DynamoDB on http://127.0.0.1:9001, state in .kelvin\n"
    "  kelvin serve --port 0 --ready-file endpoint\n"
    "      on a free port, which the file names when it listens\n"
    "  kelvin serve --runtime nodejs20.x=runtimes/node --runtime python3.11=runtimes/python\n"
    "      with runtimes for functions that are written in Node.js and Python\n"
    "  aws --endpoint-url http://127.0.0.1:9001 lambda list-functions\n"
    "      any AWS client, with only the endpoint changed\n";

}  // namespace

bool IsLoopbackAddress(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

std::expected<ServeOptions, Stop> ParseServe(const std::vector<std::string>& arguments) {
  ServeOptions options;
  bool ephemeral = false;
  std::string sync = "always";
  std::vector<std::string> runtimes;
  Arguments parser("serve", "Runs Lambda and DynamoDB on this machine until Ctrl-C.",
                   std::string(kExamples));
  CLI::App& app = parser.app();
  app.add_option("--host", options.host,
                 "Address to listen on; one that is not loopback needs --credentials")
      ->type_name("ADDRESS")
      ->capture_default_str();
  parser.AddNumber("--port", options.port, 0, 65535, "Port; 0 takes a free one");
  app.add_option("--state-dir", options.state_dir, "Folder for functions, events, logs and tables")
      ->type_name("FOLDER")
      ->capture_default_str();
  app.add_option("--region", options.region, "Region that ARNs and functions see")
      ->type_name("REGION")
      ->capture_default_str();
  app.add_option("--runtime", runtimes,
                 "A managed runtime and its folder, which holds a bootstrap, or var/runtime and "
                 "var/lang; may be given several times")
      ->type_name("NAME=FOLDER")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--config", options.config,
                 "Configuration whose [[runtime]]s there are too; default: kelvin.toml, if there "
                 "is one")
      ->type_name("FILE");
  app.add_flag("--ephemeral-tables", ephemeral, "Keep tables in memory: faster, gone at the end");
  AddFsyncOption(app, sync);
  app.add_option("--credentials", options.credentials_file,
                 "File with lines of ACCESS_KEY_ID SECRET_ACCESS_KEY: requests must be signed with "
                 "one of them")
      ->type_name("FILE");
  AddReadyOptions(parser, options.ready);
  if (auto parsed = parser.Parse(arguments); !parsed) return std::unexpected(parsed.error());
  for (const std::string& text : runtimes) {
    auto runtime = ParseRuntime(text);
    if (!runtime) return std::unexpected(UsageStop(std::move(runtime.error().message)));
    options.runtimes.push_back(std::move(*runtime));
  }
  if (!IsLoopbackAddress(options.host) && options.credentials_file.empty()) {
    return std::unexpected(UsageStop(fmt::format(
        "expected --host to be a loopback address such as 127.0.0.1, got {}; anybody who "
        "reaches this port can run programs here, so a network is only offered it with "
        "--credentials FILE",
        options.host)));
  }
  if (ephemeral) options.storage = tables::Storage::kEphemeral;
  options.sync = SyncOf(sync);
  return options;
}

}  // namespace kelvin::cli
