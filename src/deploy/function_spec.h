#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kelvin::deploy {

enum class Place { kAws, kLocal };  // kLocal: no IAM, no S3

struct Package {
  std::string zip;     // bytes
  std::string sha256;  // base64
};

// How a function comes to Lambda.
enum class Strategy {
  kManaged,  // a managed runtime (dotnet8) and the assemblies in a zip
  kCustom,   // provided.al2023 and a bootstrap in a zip
  kImage,    // a container image
};
std::optional<Strategy> ParseStrategy(std::string_view name);  // "managed", "custom", "image"

struct TableSpec {
  std::string name;
  std::string hash_key = "Id";
  std::string hash_type = "S";
  std::string range_key = {};  // empty: none
  std::string range_type = "S";
  std::string ttl_attribute = "ExpiresAt";
};

// A function as it shall be.
struct FunctionSpec {
  std::string name;
  Strategy strategy = Strategy::kCustom;
  std::string runtime = "provided.al2023";
  std::string handler = "bootstrap";
  std::string architecture = "x86_64";
  int memory_mb = 128;
  int timeout_seconds = 3;
  std::map<std::string, std::string> environment = {};
  std::vector<std::string> layers = {};  // ARNs of versions
  std::map<std::string, std::string> tags = {};
  std::string alias = "live";
  int log_retention_days = 14;
  std::string role = {};                  // ARN; empty: one of its own
  std::vector<std::string> actions = {};  // "dynamodb:PutItem": what its role allows
  std::vector<std::string> tables = {};   // names of the tables that the actions are for
  std::string zip_path = {};              // of the package
  std::string image_uri = {};             // of Strategy::kImage
};

// The DynamoDB actions that a program made with Kelvin's client can perform, read from the names of
// operations within it: {"dynamodb:PutItem"}. Those it never calls were left out when it was
// linked.
std::vector<std::string> DynamoDbActions(std::string_view program);

}  // namespace kelvin::deploy
