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
#include "deploy/layers.h"

namespace kelvin::deploy {

enum class AliasMove { kMove, kLeave };  // kLeave: publish only, for a rollout to move it

struct DeployRequest {
  FunctionSpec spec;  // whose layers are `layers`
  Package package;
  Place place = Place::kAws;
  AliasMove alias_move = AliasMove::kMove;
  std::string region = {};
  std::string bucket = {};  // for zips beyond 50 MB; empty: one that is made
  UploadSizes sizes = {};
  // In order. Without kelvin's engine alone, what others have attached stays.
  std::vector<LayerSpec> layers = {};
  bool layers_given = false;
  bool log_retention_given = false;          // else another's retention stays
  std::optional<std::string> url_auth = {};  // "NONE" or "AWS_IAM": a function URL for the alias
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
  std::vector<PlannedLayer> layers;
  bool create = false;
  bool role = false;  // deploy's own is to be made or brought up to date
  bool logs = false;
  bool code = false;
  bool configuration = false;
  bool publish = false;  // the alias is not at what the function then is
  bool tags = false;
  bool url_exists = false;
  std::optional<std::string> url_auth;        // what the URL is to be made or changed to
  std::vector<std::string> add_permissions;   // statements that the URL lacks
  std::vector<std::string> drop_permissions;  // statements that it must not have
};

struct DeployOutcome {
  std::string version;  // that was published, or that the alias is at
  std::string url;
  std::string note;               // what is left to the user
  std::vector<std::string> done;  // "created function hello", in order
};

// Ids of the statements that let anybody call the URL: of lambda:InvokeFunctionUrl, and of
// lambda:InvokeFunction by way of the URL.
inline constexpr std::string_view kUrlStatements[] = {"kelvin-url", "kelvin-url-invoke"};

// Looks at what is there, after waiting for a change under way to end. Reads only. The plan refers
// to the request, which outlives it.
std::expected<Plan, Error> MakePlan(Api& api, Lambda& lambda, const Clock& clock,
                                    const DeployRequest& request);

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

// Waits while it is being made or changed. kNotFound when it is not there, kTimeout after five
// minutes.
std::expected<RemoteConfiguration, Error> WaitWhileBusy(Lambda& lambda, const Clock& clock,
                                                        const std::string& function);
// The same; an error when what was waited for failed.
std::expected<RemoteConfiguration, Error> WaitUntilReady(Lambda& lambda, const Clock& clock,
                                                         const std::string& function);

// The error with what to do, where somebody else changed what was looked at.
Error WithAdvice(Error error);

// "previous version 3", in an alias's description, and back.
std::string DescribePrevious(const std::string& version);
std::optional<std::string> PreviousOf(const RemoteAlias& alias);

}  // namespace kelvin::deploy
