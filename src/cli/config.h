#pragma once

#include <expected>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace kelvin::cli {

struct KeyConfig {
  std::string name;
  std::string type = "S";  // S, N or B
};

struct TableConfig {
  std::string name;
  KeyConfig hash_key;
  std::optional<KeyConfig> range_key;
};

// A managed runtime of the local service, such as nodejs20.x.
struct RuntimeConfig {
  std::string name;
  std::filesystem::path folder;
};

struct FunctionConfig {
  std::string name;
  int memory_mb = 128;
  int timeout_seconds = 3;
  std::optional<std::filesystem::path> event;  // a file with the payload
  std::map<std::string, std::string> environment;
  std::map<std::string, std::filesystem::path> packages;        // zip by mode, or by runtime
  std::map<std::string, std::string> handlers;                  // of packages for runtimes
  std::map<std::string, std::filesystem::path> packages_arm64;  // zip by mode, for 64-bit ARM
};

// A kelvin.toml: what 'kelvin compare' deploys, and the runtimes that 'kelvin serve' has too. Paths
// are absolute or relative to the working directory, ready for use.
struct Config {
  std::vector<TableConfig> tables;
  std::vector<FunctionConfig> functions;
  std::vector<RuntimeConfig> runtimes;
};

// Reads the text of `file`, whose folder relative paths start from. Fails with kInvalidArgument:
// "kelvin.toml:12: expected ..., got ...". An unknown key is an error.
std::expected<Config, Error> ParseConfig(std::string_view text, const std::filesystem::path& file);

// Fails with kInvalidArgument when there is no such file, saying how to do without.
std::expected<Config, Error> ReadConfig(const std::filesystem::path& file);

}  // namespace kelvin::cli
