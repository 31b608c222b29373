#include "cli/tables_options.h"

#include <fmt/format.h>

#include "cli/serve_options.h"

namespace kelvin::cli {
namespace {

constexpr std::string_view kServeExamples =
    "  kelvin tables\n"
    "      DynamoDB on http://127.0.0.1:9001, items in .kelvin/tables\n"
    "  kelvin tables --ephemeral --port 0 --ready-file endpoint\n"
    "      in memory on a free port, which the file names when it listens\n"
    "  kelvin tables export music > music.jsonl\n"
    "  kelvin tables import music music.jsonl --key artist:S,year:N\n"
    "      items as DynamoDB JSON, one a line; see 'kelvin tables import --help'\n"
    "  aws --endpoint-url http://127.0.0.1:9001 dynamodb list-tables\n"
    "      any AWS client, with only the endpoint changed\n";

constexpr std::string_view kExportExamples =
    "  kelvin tables export music > music.jsonl\n"
    "      from .kelvin/tables, which no other process may have open\n"
    "  kelvin tables export music music.jsonl --endpoint-url http://127.0.0.1:9001\n"
    "      from a service that runs\n";

constexpr std::string_view kImportExamples =
    "  kelvin tables import music music.jsonl\n"
    "      into a table that is there; items of the same key are replaced\n"
    "  kelvin tables import music music.jsonl --key artist:S,year:N\n"
    "      makes the table where it is not there\n"
    "  zcat export/data/*.json.gz | kelvin tables import music -\n"
    "      what DynamoDB exported to S3\n";

}  // namespace

void AddFsyncOption(CLI::App& app, std::string& when) {
  app.add_option("--fsync", when,
                 "'always': an acknowledged write survives a power failure; 'background': only the "
                 "end of this process")
      ->check(CLI::IsMember({"always", "background"}))
      ->type_name("WHEN")
      ->capture_default_str();
}

tables::Sync SyncOf(std::string_view when) {
  return when == "background" ? tables::Sync::kInBackground : tables::Sync::kEveryWrite;
}

std::expected<TablesServeOptions, Stop> ParseTablesServe(
    const std::vector<std::string>& arguments) {
  TablesServeOptions options;
  bool ephemeral = false;
  bool signatures = false;
  std::string sync = "always";
  Arguments parser("tables",
                   "Runs DynamoDB on this machine until Ctrl-C. 'export' and 'import' move items.",
                   std::string(kServeExamples));
  CLI::App& app = parser.app();
  app.add_option("--host", options.host, "Address to listen on")
      ->type_name("ADDRESS")
      ->capture_default_str();
  parser.AddNumber("--port", options.port, 0, 65535, "Port; 0 takes a free one");
  app.add_option("--state-dir", options.state_dir, "Folder whose 'tables' folder has the items")
      ->type_name("FOLDER")
      ->capture_default_str();
  app.add_option("--region", options.region, "Region that ARNs and signatures have")
      ->type_name("REGION")
      ->capture_default_str();
  app.add_flag("--ephemeral", ephemeral, "Keep items in memory: faster, gone at the end");
  AddFsyncOption(app, sync);
  app.add_flag("--require-signature", signatures,
               "Answer only requests signed with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
  AddReadyOptions(parser, options.ready);
  if (auto parsed = parser.Parse(arguments); !parsed) return std::unexpected(parsed.error());
  if (!IsLoopbackAddress(options.host) && !signatures) {
    return std::unexpected(UsageStop(fmt::format(
        "expected --host to be a loopback address such as 127.0.0.1, got {}; to offer the tables "
        "to a network, demand signatures with --require-signature",
        options.host)));
  }
  if (ephemeral) options.storage = tables::Storage::kEphemeral;
  options.sync = SyncOf(sync);
  if (signatures) options.signatures = TablesServeOptions::Signatures::kOurs;
  return options;
}

std::expected<TransferOptions, Stop> ParseTransfer(TransferOptions::Direction direction,
                                                   const std::vector<std::string>& arguments) {
  TransferOptions options;
  options.direction = direction;
  options.file = "-";
  const bool imports = direction == TransferOptions::Direction::kImport;
  Arguments parser(imports ? "tables import" : "tables export",
                   imports ? "Puts items, as DynamoDB JSON one a line, into a table."
                           : "Writes a table's items as DynamoDB JSON, one a line.",
                   std::string(imports ? kImportExamples : kExportExamples));
  CLI::App& app = parser.app();
  app.add_option("TABLE", options.table, "Name of the table")->required();
  app.add_option("FILE", options.file,
                 imports ? "File to read; - for standard input" : "File; - for standard output")
      ->capture_default_str();
  app.add_option("--endpoint-url", options.endpoint_url,
                 "A DynamoDB that runs, here or elsewhere, instead of the files")
      ->type_name("URL");
  app.add_option("--state-dir", options.state_dir, "Folder whose 'tables' folder has the items")
      ->type_name("FOLDER")
      ->capture_default_str();
  if (imports) {
    app.add_option("--key", options.key,
                   "Partition key and sort key of a table to make where it is not there")
        ->type_name("NAME:TYPE[,NAME:TYPE]");
  }
  if (auto parsed = parser.Parse(arguments); !parsed) return std::unexpected(parsed.error());
  return options;
}

}  // namespace kelvin::cli
