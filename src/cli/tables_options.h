#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "cli/arguments.h"
#include "cli/lambda_endpoint.h"
#include "cli/ready.h"
#include "tables/tables.h"

namespace kelvin::cli {

struct TablesServeOptions {
  std::string host = "127.0.0.1";
  int port = kDefaultPort;
  std::string state_dir = ".kelvin";
  std::string region = "us-east-1";
  tables::Storage storage = tables::Storage::kDurable;
  tables::Sync sync = tables::Sync::kEveryWrite;
  enum class Signatures { kAny, kOurs } signatures = Signatures::kAny;
  ReadyOptions ready;
};
// --fsync, the same for every command that has tables.
void AddFsyncOption(CLI::App& app, std::string& when);
tables::Sync SyncOf(std::string_view when);

std::expected<TablesServeOptions, Stop> ParseTablesServe(const std::vector<std::string>& arguments);

// Of 'kelvin tables export' and 'kelvin tables import'.
struct TransferOptions {
  enum class Direction { kExport, kImport } direction = Direction::kExport;
  std::string table;
  std::string file;          // "-": standard input or output
  std::string endpoint_url;  // empty: the files of state_dir
  std::string state_dir = ".kelvin";
  std::string key;  // "id:S" or "id:S,at:N": import makes a table that is not there
};
std::expected<TransferOptions, Stop> ParseTransfer(TransferOptions::Direction direction,
                                                   const std::vector<std::string>& arguments);

}  // namespace kelvin::cli
