#pragma once

#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "cli/config.h"
#include "cli/lambda_endpoint.h"
#include "cli/ready.h"
#include "tables/tables.h"

namespace kelvin::cli {

struct ServeOptions {
  std::string host = "127.0.0.1";
  int port = kDefaultPort;
  std::string state_dir = ".kelvin";
  std::string region = "us-east-1";
  tables::Storage storage = tables::Storage::kDurable;
  tables::Sync sync = tables::Sync::kEveryWrite;
  std::vector<RuntimeConfig> runtimes;
  std::string config;            // a kelvin.toml with more of them; empty: ./kelvin.toml, if any
  std::string credentials_file;  // who may send requests; empty: anybody on this machine
  ReadyOptions ready;
};

// Whether only this machine reaches that address.
bool IsLoopbackAddress(const std::string& host);

std::expected<ServeOptions, Stop> ParseServe(const std::vector<std::string>& arguments);

}  // namespace kelvin::cli
