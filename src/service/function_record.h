#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "service/function_config.h"

namespace kelvin::service {

template <typename T>
using ByName = std::map<std::string, T, std::less<>>;

struct Alias {
  std::string name;
  std::string version;
  std::string description;
  std::string revision_id;
  ByName<double> weights;  // of another version; none or one

  friend bool operator==(const Alias&, const Alias&) = default;
};

struct ProvisionedConcurrency {
  int requested = 0;
  std::string last_modified;

  friend bool operator==(const ProvisionedConcurrency&, const ProvisionedConcurrency&) = default;
};

struct Cors {
  bool allow_credentials = false;
  std::vector<std::string> allow_headers;
  std::vector<std::string> allow_methods;
  std::vector<std::string> allow_origins;
  std::vector<std::string> expose_headers;
  int max_age = 0;

  friend bool operator==(const Cors&, const Cors&) = default;
};

struct FunctionUrl {
  std::string id;  // names it in its URL
  std::string auth_type;
  std::string invoke_mode;
  std::optional<Cors> cors;
  std::string created;
  std::string last_modified;

  friend bool operator==(const FunctionUrl&, const FunctionUrl&) = default;
};

// What becomes of asynchronous invokes.
struct EventInvokeConfig {
  std::optional<int> retries;
  std::optional<int> max_age_seconds;
  std::string on_success;  // ARNs; empty without one
  std::string on_failure;
  std::int64_t last_modified_ms = 0;  // since the epoch

  friend bool operator==(const EventInvokeConfig&, const EventInvokeConfig&) = default;
};

// All there is to one function. A value: whoever uses an older one keeps its copy.
struct FunctionRecord {
  FunctionConfig latest;
  std::map<int, FunctionConfig> versions;
  int last_version = 0;  // a number is never given twice
  // Of $LATEST when it was last published: a version may have one of its own.
  std::string published_description;
  ByName<Alias> aliases;
  std::optional<int> reserved_concurrency;
  ByName<ProvisionedConcurrency> provisioned;  // by version or alias
  ByName<FunctionUrl> urls;                    // by "$LATEST" or alias
  ByName<EventInvokeConfig> event_invoke;      // by "$LATEST", version or alias
  ByName<ByName<std::string>> policies;        // JSON by statement id, by "" or qualifier
  // Kept for who asks, and nothing else.
  std::string recursive_loop = "Terminate";
  ByName<std::string> update_runtime_on;  // by "$LATEST" or version; "Auto" for the others

  const std::string& name() const { return latest.name; }
  friend bool operator==(const FunctionRecord&, const FunctionRecord&) = default;
};

// $LATEST, a version or an alias of a function, as a caller named it. Keeps the record alive.
struct Target {
  std::shared_ptr<const FunctionRecord> record;
  std::string qualifier;  // as given; empty when none was
  const FunctionConfig* config = nullptr;
  const Alias* alias = nullptr;  // when the qualifier names one

  const std::string& version() const { return config->version; }
};
// Nothing when the record has no such qualifier.
std::optional<Target> FindTarget(std::shared_ptr<const FunctionRecord> record,
                                 std::string_view qualifier);
// Of "$LATEST" or a number; null when there is none.
const FunctionConfig* FindVersion(const FunctionRecord& record, std::string_view version);

// The stored form, which ReadStoredRecord reads back. Fails with kCorrupt, saying what is missing.
// Reads the form of earlier versions, which had a configuration only, too.
std::string StoredJson(const FunctionRecord& record);
std::expected<FunctionRecord, Error> ReadStoredRecord(std::string_view text);

}  // namespace kelvin::service
