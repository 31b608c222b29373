#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "base/error.h"
#include "service/function_name.h"
#include "service/string_map.h"

namespace kelvin::service {

enum class LogFormat { kText, kJson };

// A layer version as a function refers to it. It stays usable when the layer version is deleted.
struct LayerUse {
  std::string arn;  // of the version
  std::string code_sha256;
  std::uint64_t code_size = 0;
  std::uint64_t unpacked_size = 0;

  friend bool operator==(const LayerUse&, const LayerUse&) = default;
};

// Everything that is set for one function. A value: whoever runs an older one keeps its copy.
struct FunctionConfig {
  std::string name;
  std::string version = "$LATEST";  // or the number of a published one
  std::string runtime;
  std::string role;
  std::string handler;
  std::string description;
  int timeout_seconds = 3;
  int memory_mb = 128;
  int tmp_mb = 512;
  std::string architecture;  // "x86_64" or "arm64"
  StringMap environment;
  bool environment_given = false;  // maybe with nothing in it, and shown then all the same
  StringMap tags;
  LogFormat log_format = LogFormat::kText;
  std::string application_log_level;  // empty unless JSON
  std::string system_log_level;       // empty unless JSON
  std::string log_group;
  std::string tracing_mode = "PassThrough";
  std::string dead_letter_arn;  // empty without a target
  std::string kms_key_arn;      // empty without one; nothing is encrypted
  std::string code_sha256;      // base64, names the stored code
  std::uint64_t code_size = 0;
  std::uint64_t unpacked_size = 0;
  std::vector<LayerUse> layers;  // in the order in which they are merged
  std::string last_modified;     // as FormatLastModified
  std::string revision_id;

  friend bool operator==(const FunctionConfig&, const FunctionConfig&) = default;
};

// How far the last change of a function has come, as waiters read it. Lists do not tell it.
enum class Progress { kCreating, kUpdating, kDone, kUntold };

// The API's FunctionConfiguration. `qualifier`, which may be empty, ends its ARN.
boost::json::object ConfigurationJson(const FunctionConfig& config, const Place& place,
                                      Progress progress, std::string_view qualifier = {});

// The stored form, which ReadStored reads back. Fails with kCorrupt, saying what is missing.
boost::json::object StoredConfig(const FunctionConfig& config);
std::expected<FunctionConfig, Error> ReadStoredConfig(const boost::json::value& value);

}  // namespace kelvin::service
