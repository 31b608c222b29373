#include "deploy/deployment.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/encoding.h"
#include "deploy/role.h"

namespace kelvin::deploy {
namespace {

namespace json = boost::json;

constexpr std::size_t kDirectUpload = 50'000'000;  // base64 and JSON around it stay below 70 MB
constexpr std::string_view kLocalRole = "arn:aws:iam::123456789012:role/kelvin";
constexpr std::string_view kPrevious = "previous version ";

std::string ShortSha(const std::string& sha) {
  return sha.substr(0, 12);
}

// Adds a change where two values differ.
template <typename Value>
bool Compare(std::vector<Change>& changes, std::string what, const Value& from, const Value& to,
             std::string_view unit = {}) {
  if (from == to) return false;
  changes.push_back(
      {std::move(what), fmt::format("{}{}", from, unit), fmt::format("{}{}", to, unit)});
  return true;
}

bool CompareEnvironment(std::vector<Change>& changes,
                        const std::map<std::string, std::string>& from,
                        const std::map<std::string, std::string>& to) {
  bool differs = false;
  for (const auto& [name, value] : to) {
    const auto found = from.find(name);
    if (found != from.end() && found->second == value) continue;
    changes.push_back({"environment " + name, found != from.end() ? found->second : "", value});
    differs = true;
  }
  return differs;
}

json::object EnvironmentBody(const std::map<std::string, std::string>& environment) {
  json::object variables;
  for (const auto& [name, value] : environment) variables[name] = value;
  return {{"Variables", std::move(variables)}};
}

json::array ArrayOf(const std::vector<std::string>& strings) {
  json::array array;
  for (const std::string& text : strings) array.push_back(json::string(text));
  return array;
}

// Whether a version is what the request wants, so that the alias may stay at it.
bool IsAsWanted(const RemoteConfiguration& remote, const DeployRequest& request,
                const std::map<std::string, std::string>& environment) {
  const FunctionSpec& spec = request.spec;
  return remote.code_sha256 == request.package.sha256 && remote.memory_mb == spec.memory_mb &&
         remote.timeout_seconds == spec.timeout_seconds && remote.runtime == spec.runtime &&
         remote.handler == spec.handler && remote.layers == spec.layers &&
         remote.environment == environment;
}

Error Explained(Error error) {
  if (error.remote_type == "PreconditionFailedException" ||
      error.remote_type == "ResourceConflictException") {
    error.message +=
        "; somebody else has changed it since it was looked at: look at the difference with "
        "--dry-run and run the same command again";
  }
  return error;
}

void PlanCreation(const DeployRequest& request, Plan& plan) {
  const FunctionSpec& spec = request.spec;
  plan.create = true;
  plan.publish = true;
  plan.changes = {{"function", "", spec.name},
                  {"code", "", ShortSha(request.package.sha256)},
                  {"memory", "", fmt::format("{} MB", spec.memory_mb)},
                  {"time-out", "", fmt::format("{} s", spec.timeout_seconds)}};
  for (const auto& [name, value] : spec.environment) {
    plan.changes.push_back({"environment " + name, "", value});
  }
  plan.changes.push_back({"alias", "", spec.alias});
}

void PlanUpdate(const DeployRequest& request, Plan& plan) {
  const FunctionSpec& spec = request.spec;
  const RemoteConfiguration& remote = *plan.function;
  auto& changes = plan.changes;
  plan.code =
      Compare(changes, "code", ShortSha(remote.code_sha256), ShortSha(request.package.sha256));
  plan.code |= Compare(changes, "architecture", remote.architecture, spec.architecture);
  plan.configuration |= Compare(changes, "memory", remote.memory_mb, spec.memory_mb, " MB");
  plan.configuration |=
      Compare(changes, "time-out", remote.timeout_seconds, spec.timeout_seconds, " s");
  plan.configuration |= Compare(changes, "runtime", remote.runtime, spec.runtime);
  plan.configuration |= Compare(changes, "handler", remote.handler, spec.handler);
  if (!spec.role.empty()) plan.configuration |= Compare(changes, "role", remote.role, spec.role);
  plan.configuration |= Compare(changes, "layers", fmt::format("{}", fmt::join(remote.layers, " ")),
                                fmt::format("{}", fmt::join(spec.layers, " ")));
  plan.configuration |= CompareEnvironment(changes, remote.environment, plan.environment);
}

std::expected<void, Error> PlanAlias(Lambda& lambda, const DeployRequest& request, Plan& plan) {
  const FunctionSpec& spec = request.spec;
  auto alias = lambda.Alias(spec.name, spec.alias);
  if (!alias) return std::unexpected(std::move(alias.error()));
  plan.alias = std::move(*alias);
  plan.publish = plan.code || plan.configuration;
  if (!plan.alias) {
    plan.publish = true;
    plan.changes.push_back({"alias", "", spec.alias});
    return {};
  }
  if (!plan.alias->weights.empty()) {
    return std::unexpected(Error{
        ErrorCode::kAlreadyExists,
        fmt::format("expected alias {} of {} at one version, a rollout to version {} is under "
                    "way; finish it with 'kelvin rollout', or end it with 'kelvin rollback'",
                    spec.alias, spec.name, plan.alias->weights.begin()->first)});
  }
  if (plan.publish) return {};
  std::string qualifier = spec.alias;
  if (request.alias_move == AliasMove::kLeave) {
    const auto versions = lambda.Versions(spec.name);
    if (!versions) return std::unexpected(versions.error());
    if (!versions->empty()) qualifier = versions->back();
  }
  const auto at = lambda.Configuration(spec.name, qualifier);
  if (!at) return std::unexpected(at.error());
  if (!*at || !IsAsWanted(**at, request, plan.environment)) {
    plan.publish = true;
    plan.changes.push_back({"published", "version " + plan.alias->version, "new version"});
  }
  return {};
}

std::expected<void, Error> PlanUrl(Lambda& lambda, const DeployRequest& request, Plan& plan) {
  if (!request.url_auth) return {};
  std::optional<std::string> auth;
  if (plan.alias) {
    auto read = lambda.UrlAuth(request.spec.name, request.spec.alias);
    if (!read) return std::unexpected(std::move(read.error()));
    auth = std::move(*read);
  }
  if (auth) return {};
  plan.url = true;
  plan.changes.push_back({"function URL", "", *request.url_auth});
  return {};
}

// Carries out one plan.
class Applier {
 public:
  Applier(Api& api, Lambda& lambda, const Clock& clock, const DeployRequest& request,
          const Plan& plan, std::vector<std::string>& done)
      : api_(api),
        lambda_(lambda),
        clock_(clock),
        request_(request),
        spec_(request.spec),
        plan_(plan),
        done_(done) {
    if (plan.function) revision_ = plan.function->revision;
  }

  std::expected<DeployOutcome, Error> Run() {
    using Step = std::expected<void, Error> (Applier::*)();
    for (const Step step :
         {&Applier::Role, &Applier::Create, &Applier::Code, &Applier::Configuration, &Applier::Tags,
          &Applier::PublishVersion, &Applier::MoveAlias, &Applier::Url}) {
      if (auto taken = (this->*step)(); !taken) return std::unexpected(Explained(taken.error()));
    }
    outcome_.done = done_;
    return std::move(outcome_);
  }

 private:
  using Result = std::expected<void, Error>;

  Result Role() {
    role_ = spec_.role;
    if (request_.place == Place::kLocal) {
      if (role_.empty()) role_ = kLocalRole;
      return {};
    }
    if (!plan_.create) return {};
    if (role_.empty()) {
      auto role = EnsureRole(api_, spec_, done_);
      if (!role) return std::unexpected(std::move(role.error()));
      role_ = std::move(*role);
    }
    return EnsureLogs(api_, spec_, done_);
  }

  std::expected<json::object, Error> CodeBody() {
    if (request_.package.zip.size() <= kDirectUpload || request_.place == Place::kLocal) {
      return json::object{{"ZipFile", Base64Encode(request_.package.zip)}};
    }
    if (request_.bucket.empty()) {
      return std::unexpected(
          Error{ErrorCode::kInvalidArgument,
                fmt::format("expected --bucket for a package of {} bytes, which is too large to "
                            "upload directly; name an S3 bucket in the same region",
                            request_.package.zip.size())});
    }
    // The name is the content's, so that an upload that was interrupted is not mistaken for
    // another.
    const std::string key = fmt::format("kelvin/{}/{}.zip", spec_.name,
                                        HexEncode(*Base64Decode(request_.package.sha256)));
    auto put = api_.Send({.service = "s3",
                          .action = "s3:PutObject",
                          .method = "PUT",
                          .target = fmt::format("/{}/{}", request_.bucket, key),
                          .body = request_.package.zip,
                          .headers = {{"Content-Type", "application/zip"}}});
    if (!put) return std::unexpected(std::move(put.error()));
    done_.push_back(fmt::format("uploaded s3://{}/{}", request_.bucket, key));
    return json::object{{"S3Bucket", request_.bucket}, {"S3Key", key}};
  }

  Result Create() {
    if (!plan_.create) return {};
    auto code = CodeBody();
    if (!code) return std::unexpected(std::move(code.error()));
    json::object body{{"FunctionName", spec_.name},
                      {"Runtime", spec_.runtime},
                      {"Handler", spec_.handler},
                      {"Role", role_},
                      {"Code", std::move(*code)},
                      {"MemorySize", spec_.memory_mb},
                      {"Timeout", spec_.timeout_seconds},
                      {"Architectures", json::array{json::string(spec_.architecture)}},
                      {"Environment", EnvironmentBody(plan_.environment)}};
    if (!spec_.layers.empty()) body["Layers"] = ArrayOf(spec_.layers);
    if (!spec_.tags.empty()) {
      json::object tags;
      for (const auto& [key, value] : spec_.tags) tags[key] = value;
      body["Tags"] = std::move(tags);
    }
    auto created = lambda_.Create(body);
    // A role needs some seconds until Lambda can assume it.
    const auto deadline = clock_.Now() + std::chrono::seconds(60);
    while (!created && created.error().message.contains("cannot be assumed") &&
           clock_.Now() < deadline) {
      clock_.SleepFor(std::chrono::seconds(3));
      created = lambda_.Create(body);
    }
    if (!created) return std::unexpected(std::move(created.error()));
    done_.push_back(fmt::format("created function {}", spec_.name));
    return Wait();
  }

  Result Wait() {
    auto ready = WaitUntilReady(lambda_, clock_, spec_.name);
    if (!ready) return std::unexpected(std::move(ready.error()));
    revision_ = ready->revision;
    arn_ = ready->arn;
    return {};
  }

  Result Code() {
    if (!plan_.code) return {};
    auto body = CodeBody();
    if (!body) return std::unexpected(std::move(body.error()));
    (*body)["Architectures"] = json::array{json::string(spec_.architecture)};
    if (!revision_.empty()) (*body)["RevisionId"] = revision_;
    auto updated = lambda_.UpdateCode(spec_.name, *body);
    if (!updated) return std::unexpected(std::move(updated.error()));
    done_.push_back("updated the code");
    return Wait();
  }

  Result Configuration() {
    if (!plan_.configuration) return {};
    json::object body{{"MemorySize", spec_.memory_mb},
                      {"Timeout", spec_.timeout_seconds},
                      {"Runtime", spec_.runtime},
                      {"Handler", spec_.handler},
                      {"Environment", EnvironmentBody(plan_.environment)},
                      {"Layers", ArrayOf(spec_.layers)}};
    if (!spec_.role.empty()) body["Role"] = spec_.role;
    if (!revision_.empty()) body["RevisionId"] = revision_;
    auto updated = lambda_.UpdateConfiguration(spec_.name, body);
    if (!updated) return std::unexpected(std::move(updated.error()));
    done_.push_back("updated the configuration");
    return Wait();
  }

  Result Tags() {
    if (!plan_.tags || plan_.create) return {};
    auto tagged = lambda_.Tag(arn_.empty() ? plan_.function->arn : arn_, spec_.tags);
    if (!tagged) return tagged;
    done_.push_back("set tags");
    return {};
  }

  Result PublishVersion() {
    outcome_.version = plan_.alias ? plan_.alias->version : "";
    if (!plan_.publish) return {};
    json::object body{{"CodeSha256", request_.package.sha256}};
    auto published = lambda_.Publish(spec_.name, body);
    if (!published) return std::unexpected(std::move(published.error()));
    outcome_.version = published->version;
    done_.push_back(fmt::format("published version {}", published->version));
    return {};
  }

  Result MoveAlias() {
    if (!plan_.publish || (plan_.alias && plan_.alias->version == outcome_.version)) return {};
    if (plan_.alias && request_.alias_move == AliasMove::kLeave) return {};
    json::object body{{"FunctionVersion", outcome_.version}};
    if (!plan_.alias) {
      body["Name"] = spec_.alias;
      auto created = lambda_.CreateAlias(spec_.name, body);
      if (!created) return std::unexpected(std::move(created.error()));
      done_.push_back(fmt::format("created alias {} at version {}", spec_.alias, outcome_.version));
      return {};
    }
    body["Description"] = DescribePrevious(plan_.alias->version);
    if (!plan_.alias->revision.empty()) body["RevisionId"] = plan_.alias->revision;
    auto updated = lambda_.UpdateAlias(spec_.name, spec_.alias, body);
    if (!updated) return std::unexpected(std::move(updated.error()));
    done_.push_back(fmt::format("moved alias {} from version {} to {}", spec_.alias,
                                plan_.alias->version, outcome_.version));
    return {};
  }

  Result Url() {
    if (plan_.url) {
      auto created = lambda_.CreateUrl(spec_.name, spec_.alias, *request_.url_auth);
      if (!created) return created;
      done_.push_back("created a function URL");
    }
    if (!request_.url_auth) return {};
    auto auth = lambda_.UrlAuth(spec_.name, spec_.alias, &outcome_.url);
    if (!auth) return std::unexpected(std::move(auth.error()));
    return {};
  }

  Api& api_;
  Lambda& lambda_;
  const Clock& clock_;
  const DeployRequest& request_;
  const FunctionSpec& spec_;
  const Plan& plan_;
  std::vector<std::string>& done_;
  DeployOutcome outcome_;
  std::string role_;
  std::string revision_;
  std::string arn_;
};

}  // namespace

std::expected<Plan, Error> MakePlan(Lambda& lambda, const DeployRequest& request) {
  const FunctionSpec& spec = request.spec;
  Plan plan;
  auto function = lambda.Get(spec.name);
  if (!function) return std::unexpected(std::move(function.error()));
  plan.function = std::move(*function);
  plan.environment = spec.environment;
  if (!plan.function) {
    PlanCreation(request, plan);
  } else {
    // What others have set stays.
    plan.environment.insert(plan.function->environment.begin(), plan.function->environment.end());
    PlanUpdate(request, plan);
    if (auto alias = PlanAlias(lambda, request, plan); !alias) {
      return std::unexpected(std::move(alias.error()));
    }
    for (const auto& [key, value] : spec.tags) {
      const auto found = plan.function->tags.find(key);
      const std::string now = found != plan.function->tags.end() ? found->second : "";
      plan.tags |= Compare(plan.changes, "tag " + key, now, value);
    }
  }
  if (auto url = PlanUrl(lambda, request, plan); !url)
    return std::unexpected(std::move(url.error()));
  return plan;
}

std::expected<DeployOutcome, Error> Apply(Api& api, Lambda& lambda, const Clock& clock,
                                          const DeployRequest& request, const Plan& plan,
                                          std::vector<std::string>& done) {
  return Applier(api, lambda, clock, request, plan, done).Run();
}

std::expected<RemoteConfiguration, Error> WaitUntilReady(Lambda& lambda, const Clock& clock,
                                                         const std::string& function) {
  const auto deadline = clock.Now() + std::chrono::minutes(5);
  for (auto pause = std::chrono::milliseconds(50);;
       pause = std::min(pause * 2, std::chrono::milliseconds(2000))) {
    auto remote = lambda.Configuration(function);
    if (!remote) return std::unexpected(std::move(remote.error()));
    if (!*remote) {
      return std::unexpected(
          Error{ErrorCode::kNotFound,
                fmt::format("function {} went away while it was updated", function)});
    }
    const RemoteConfiguration& now = **remote;
    if (now.state == "Failed" || now.update_status == "Failed") {
      return std::unexpected(
          Error{ErrorCode::kInvalidArgument,
                fmt::format("function {} could not be updated: {}", function, now.reason)});
    }
    if (now.state != "Pending" && now.update_status != "InProgress") return now;
    if (clock.Now() > deadline) {
      return std::unexpected(Error{
          ErrorCode::kTimeout,
          fmt::format("function {} is still {} after five minutes; run the same command again "
                      "later",
                      function, now.state == "Pending" ? "being made" : "being updated")});
    }
    clock.SleepFor(pause);
  }
}

std::string DescribePrevious(const std::string& version) {
  return std::string(kPrevious) + version;
}

std::optional<std::string> PreviousOf(const RemoteAlias& alias) {
  const std::size_t at = alias.description.find(kPrevious);
  if (at == std::string::npos) return std::nullopt;
  const std::string rest = alias.description.substr(at + kPrevious.size());
  const std::string number = rest.substr(0, rest.find_first_not_of("0123456789"));
  return number.empty() ? std::nullopt : std::optional<std::string>(number);
}

std::expected<std::string, Error> Rollback(Lambda& lambda, const std::string& function,
                                           const std::string& alias_name,
                                           const std::optional<std::string>& to) {
  auto alias = lambda.Alias(function, alias_name);
  if (!alias) return std::unexpected(std::move(alias.error()));
  if (!*alias) {
    return std::unexpected(Error{ErrorCode::kNotFound,
                                 fmt::format("expected an alias {} of {}, there is none; name one "
                                             "with --alias, or deploy first",
                                             alias_name, function)});
  }
  const RemoteAlias& now = **alias;
  std::string target;
  if (to) {
    target = *to;
  } else if (!now.weights.empty()) {
    target = now.version;  // a rollout under way: the version it started from
  } else if (const auto previous = PreviousOf(now)) {
    target = *previous;
  } else {
    const auto versions = lambda.Versions(function);
    if (!versions) return std::unexpected(versions.error());
    const auto at = std::ranges::find(*versions, now.version);
    if (at != versions->end() && at != versions->begin()) target = *std::prev(at);
  }
  if (target.empty()) {
    return std::unexpected(
        Error{ErrorCode::kInvalidArgument,
              fmt::format("expected a version of {} older than {}, there is none; "
                          "name one with --to",
                          function, now.version)});
  }
  json::object body{{"FunctionVersion", target},
                    {"Description", DescribePrevious(now.version)},
                    {"RoutingConfig", {{"AdditionalVersionWeights", json::object()}}}};
  if (!now.revision.empty()) body["RevisionId"] = now.revision;
  auto updated = lambda.UpdateAlias(function, alias_name, body);
  if (!updated) return std::unexpected(Explained(std::move(updated.error())));
  return target;
}

std::expected<void, Error> Destroy(Api& api, Lambda& lambda, const std::string& function,
                                   const std::string& alias, Place place,
                                   std::vector<std::string>& done) {
  const auto step = [&done](std::expected<void, Error> result,
                            const std::string& what) -> std::expected<void, Error> {
    if (result) done.push_back(what);
    if (!result && result.error().code != ErrorCode::kNotFound) return result;
    return {};
  };
  auto auth = lambda.UrlAuth(function, alias);
  if (auth && *auth) {
    if (auto gone = step(lambda.DeleteUrl(function, alias), "deleted the function URL"); !gone)
      return gone;
  }
  if (auto gone = step(lambda.DeleteAlias(function, alias), "deleted alias " + alias); !gone) {
    return gone;
  }
  if (auto gone = step(lambda.Delete(function), "deleted function " + function); !gone) return gone;
  return place == Place::kAws ? DeleteRole(api, function, done) : std::expected<void, Error>();
}

}  // namespace kelvin::deploy
