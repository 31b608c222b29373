#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "aws/credential_provider.h"
#include "aws/credentials.h"
#include "aws/environment.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/ids.h"
#include "http/message.h"

namespace kelvin::deploy {

// One call of an AWS service.
struct ApiCall {
  std::string service;  // "lambda", "iam", "logs", "monitoring", "s3", "sts"
  std::string action;   // "lambda:CreateFunction", the permission that it needs
  std::string method;
  std::string target;
  std::string body = {};
  http::Headers headers = {};
  int attempts = 8;
};

// A call of a service that speaks AWS's JSON protocol: `target` is its X-Amz-Target without the
// action, `version` that of its content type, "1.0" or "1.1".
ApiCall JsonCall(const std::string& service, std::string_view target, std::string_view version,
                 const std::string& action, std::string body);

// The seam to AWS, or to the local service. Errors carry AWS's name in Error::remote_type; a
// missing permission names the action, expired credentials say how to renew them.
class Api {
 public:
  virtual ~Api() = default;
  // The body of a 2xx answer.
  virtual std::expected<std::string, Error> Send(const ApiCall& call) = 0;
};

struct ApiOptions {
  aws::Credentials credentials;
  std::shared_ptr<aws::CredentialProvider> provider = nullptr;  // instead of those
  std::string region;
  // For every service, or, of AWS's own, for Lambda alone; empty: AWS_ENDPOINT_URL_<SERVICE>,
  // AWS_ENDPOINT_URL, or AWS's own.
  std::string endpoint_url;
};

// The real one. Calls that may be sent twice are tried again with growing pauses when a service is
// unavailable or throttles. What it refers to outlives it.
std::unique_ptr<Api> NewApi(ApiOptions options, const aws::EnvironmentLookup& environment,
                            const Clock& clock, Random& random);

}  // namespace kelvin::deploy
