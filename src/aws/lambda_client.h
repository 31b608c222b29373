#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/credential_provider.h"
#include "aws/credentials.h"
#include "aws/endpoint.h"
#include "aws/environment.h"
#include "aws/retry.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/ids.h"
#include "http/stream.h"

namespace kelvin::aws {

// What GetFunction says of a function, as far as the lab needs it.
struct FunctionConfiguration {
  std::string name;
  std::string arn;
  std::string runtime;
  std::string architecture;     // "x86_64" or "arm64"
  std::string code_sha256;      // base64
  std::uint64_t code_size = 0;  // bytes of the zip
  int memory_mb = 0;
  int timeout_seconds = 0;
  int tmp_mb = 512;                // size of /tmp
  std::string state;               // Pending, Active, Inactive, Failed
  std::string last_update_status;  // Successful, InProgress, Failed
  std::string state_reason;
  std::string description;
  std::map<std::string, std::string> environment;
  std::map<std::string, std::string> tags;  // GetFunction only
};

struct CreateFunctionInput {
  std::string name;
  std::string zip;  // bytes
  std::string runtime = "provided.al2023";
  std::string handler = "bootstrap";
  std::string role = "arn:aws:iam::123456789012:role/kelvin";
  int memory_mb = 128;
  int timeout_seconds = 3;
  std::map<std::string, std::string> environment;
  std::map<std::string, std::string> tags;
  std::string architecture = "x86_64";
  std::vector<std::string> layers = {};  // ARNs of versions
};

struct UpdateConfigurationInput {
  std::optional<int> memory_mb;
  std::optional<std::string> description;
  std::optional<std::map<std::string, std::string>> environment;
};

enum class LogType { kNone, kTail };

struct InvokeResult {
  int status = 0;  // HTTP status: 200, 202, 204
  std::string payload;
  std::string function_error;  // X-Amz-Function-Error; empty when it went well
  std::string log_tail;        // decoded; empty without LogType::kTail
  std::string request_id;
  std::string executed_version;
};

// The Lambda API as the lab uses it. Errors from Lambda carry its name in Error::remote_type;
// kNotFound for ResourceNotFoundException, kThrottled for TooManyRequestsException, kUnavailable
// for what may be tried again. Not thread-safe: one client a thread.
class LambdaClient {
 public:
  virtual ~LambdaClient() = default;
  virtual std::expected<FunctionConfiguration, Error> GetFunction(std::string_view name) = 0;
  virtual std::expected<FunctionConfiguration, Error> CreateFunction(
      const CreateFunctionInput& input) = 0;
  virtual std::expected<FunctionConfiguration, Error> UpdateConfiguration(
      std::string_view name, const UpdateConfigurationInput& input) = 0;
  // The ARN of the new version.
  virtual std::expected<std::string, Error> PublishLayer(std::string_view name,
                                                         std::string_view zip) = 0;
  virtual std::expected<void, Error> DeleteFunction(std::string_view name) = 0;
  // Never sent twice: an invoke may have happened although the answer was lost.
  virtual std::expected<InvokeResult, Error> Invoke(std::string_view name, std::string_view payload,
                                                    LogType log) = 0;
  // Every function, over as many pages as there are.
  virtual std::expected<std::vector<FunctionConfiguration>, Error> ListFunctions() = 0;
};

struct LambdaClientOptions {
  ServiceEndpoint endpoint;
  std::string region;
  Credentials credentials;
  std::shared_ptr<CredentialProvider> provider = nullptr;  // instead of those
  RetryPolicy retry = {};                                  // for every call but Invoke
  std::chrono::milliseconds call_timeout{60'000};          // a call with all its attempts
  std::chrono::milliseconds invoke_timeout{905'000};       // functions may run for 900 s
};

// Credentials, region and endpoint from the environment; `endpoint_url`, when not empty, wins over
// AWS_ENDPOINT_URL_LAMBDA and AWS_ENDPOINT_URL. Fails with kInvalidArgument, naming the variable.
std::expected<LambdaClientOptions, Error> LambdaClientOptionsFromEnvironment(
    const EnvironmentLookup& lookup, std::string_view endpoint_url = {});

// The real client, over HTTP with signatures. The connector, the clock and the random source
// outlive it; the connector must be able to reach `options.endpoint` (see NewConnector).
std::unique_ptr<LambdaClient> NewLambdaClient(LambdaClientOptions options,
                                              http::Connector& connector, const Clock& clock,
                                              Random& random);

}  // namespace kelvin::aws
