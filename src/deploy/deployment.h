#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "deploy/function_spec.h"
#include "deploy/lambda.h"

namespace kelvin::deploy {

enum class Place { kAws, kLocal };  // kLocal: no IAM, no S3, no CloudWatch

enum class AliasMove { kMove, kLeave };  // kLeave: publish only, for a rollout to move it

struct Package {
  std::string zip;     // bytes
  std::string sha256;  // base64
};

struct DeployRequest {
  FunctionSpec spec;
  Package package;
  Place place = Place::kAws;
  AliasMove alias_move = AliasMove::kMove;
  std::string bucket;                   // for zips beyond 50 MB
  std::optional<std::string> url_auth;  // "NONE" or "AWS_IAM": a function URL for the alias
};

// What would be made different.
struct Change {
  std::string what;  // "memory"
  std::string from;  // empty: there is none yet
  std::string to;
};

// The difference between a request and what is there, and the state it was computed from.
struct Plan {
  std::vector<Change> changes;
  std::optional<RemoteConfiguration> function;
  std::optional<RemoteAlias> alias;
  std::map<std::string, std::string> environment;  // what is there with the request's on top
  bool create = false;
  bool code = false;
  bool configuration = false;
  bool publish = false;  // the alias is not at what the function then is
  bool tags = false;
  bool url = false;
};

struct DeployOutcome {
  std::string version;  // that was published, or that the alias is at
  std::string url;
  std::vector<std::string> done;  // "created function hello", in order
};

// Looks at what is there. Reads only.
std::expected<Plan, Error> MakePlan(Lambda& lambda, const DeployRequest& request);

// Carries a plan out; `done` grows as it goes, and so holds what was done when a step fails. Each
// step is refused by Lambda when somebody has changed the function since the plan (its message says
// so). Applying the plan of a second look goes on where a first attempt ended.
std::expected<DeployOutcome, Error> Apply(Api& api, Lambda& lambda, const Clock& clock,
                                          const DeployRequest& request, const Plan& plan,
                                          std::vector<std::string>& done);

// Points the alias back at the version it was at before: the one in its description, else the
// newest older one. Gives the version.
std::expected<std::string, Error> Rollback(Lambda& lambda, const std::string& function,
                                           const std::string& alias,
                                           const std::optional<std::string>& to);

// Deletes URL, aliases of that name, function and, when deploy made it, the role. What is not there
// is no error, so that it can be repeated.
std::expected<void, Error> Destroy(Api& api, Lambda& lambda, const std::string& function,
                                   const std::string& alias, Place place,
                                   std::vector<std::string>& done);

// Waits until state and last update are done; an error when they failed.
std::expected<RemoteConfiguration, Error> WaitUntilReady(Lambda& lambda, const Clock& clock,
                                                         const std::string& function);

// "previous version 3", in an alias's description, and back.
std::string DescribePrevious(const std::string& version);
std::optional<std::string> PreviousOf(const RemoteAlias& alias);

}  // namespace kelvin::deploy
