#include <fmt/format.h>

#include "deploy/deployment.h"
#include "deploy/log_group.h"
#include "deploy/role.h"

namespace kelvin::deploy {
namespace {

namespace json = boost::json;

constexpr std::string_view kLocalRole = "arn:aws:iam::123456789012:role/kelvin";

json::object EnvironmentBody(const std::map<std::string, std::string>& environment) {
  json::object variables;
  for (const auto& [name, value] : environment) variables[name] = value;
  return {{"Variables", std::move(variables)}};
}

json::object TagsBody(const std::map<std::string, std::string>& tags) {
  json::object body;
  for (const auto& [key, value] : tags) body[key] = value;
  return body;
}

json::array ArrayOf(const std::vector<std::string>& strings) {
  json::array array;
  for (const std::string& text : strings) array.push_back(json::string(text));
  return array;
}

// Lets anybody in, but only by the URL. AWS asks for both.
json::object UrlStatement(const std::string& id) {
  json::object body{{"StatementId", id}, {"Principal", "*"}};
  if (id == kUrlStatements[0]) {
    body["Action"] = "lambda:InvokeFunctionUrl";
    body["FunctionUrlAuthType"] = "NONE";
  } else {
    body["Action"] = "lambda:InvokeFunction";
    body["InvokedViaFunctionUrl"] = true;
  }
  return body;
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
    for (const Step step : {&Applier::Role, &Applier::Logs, &Applier::Layers, &Applier::Create,
                            &Applier::Code, &Applier::Configuration, &Applier::Tags,
                            &Applier::PublishVersion, &Applier::MoveAlias, &Applier::Url}) {
      if (auto taken = (this->*step)(); !taken) return std::unexpected(WithAdvice(taken.error()));
    }
    outcome_.done = done_;
    return std::move(outcome_);
  }

 private:
  using Result = std::expected<void, Error>;

  UploadOptions Uploading() const {
    return {.place = request_.place,
            .region = request_.region,
            .bucket = request_.bucket,
            .sizes = request_.sizes};
  }

  Result Role() {
    role_ = spec_.role;
    if (request_.place == Place::kLocal && role_.empty()) role_ = kLocalRole;
    if (!plan_.role) return {};
    auto role = EnsureRole(api_, spec_, done_);
    if (!role) return std::unexpected(std::move(role.error()));
    role_ = std::move(*role);
    return {};
  }

  Result Logs() {
    if (!plan_.logs) return {};
    return EnsureLogGroup(api_, spec_.name, spec_.log_retention_days, done_);
  }

  Result Layers() {
    for (const PlannedLayer& layer : plan_.layers) {
      if (!layer.arn.empty()) {
        layers_.push_back(layer.arn);
        continue;
      }
      auto arn = PublishLayer(api_, lambda_, Uploading(), *layer.spec, spec_, done_);
      if (!arn) return std::unexpected(std::move(arn.error()));
      layers_.push_back(std::move(*arn));
    }
    return {};
  }

  std::expected<json::object, Error> CodeBody() {
    return CodeFor(api_, Uploading(), request_.package, spec_.name, done_);
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
    if (!layers_.empty()) body["Layers"] = ArrayOf(layers_);
    if (!spec_.tags.empty()) body["Tags"] = TagsBody(spec_.tags);
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
                      {"Layers", ArrayOf(layers_)}};
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
    if (!revision_.empty()) body["RevisionId"] = revision_;
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
    if (!request_.url_auth) return {};
    if (plan_.url_auth) {
      const bool there = plan_.url_exists;
      auto made = there ? lambda_.UpdateUrl(spec_.name, spec_.alias, *plan_.url_auth)
                        : lambda_.CreateUrl(spec_.name, spec_.alias, *plan_.url_auth);
      if (!made) return made;
      done_.push_back(
          fmt::format("{} function URL to {}", there ? "changed the" : "made a", *plan_.url_auth));
    }
    for (const std::string& id : plan_.add_permissions) {
      auto added = lambda_.AddPermission(spec_.name, spec_.alias, UrlStatement(id));
      if (!added) return added;
      done_.push_back(fmt::format("added permission {}", id));
    }
    for (const std::string& id : plan_.drop_permissions) {
      auto removed = lambda_.RemovePermission(spec_.name, spec_.alias, id);
      if (!removed) return removed;
      done_.push_back(fmt::format("removed permission {}", id));
    }
    auto auth = lambda_.UrlAuth(spec_.name, spec_.alias, &outcome_.url);
    if (!auth) return std::unexpected(std::move(auth.error()));
    if (*request_.url_auth == "AWS_IAM") {
      outcome_.note = fmt::format(
          "callers sign their requests and need lambda:InvokeFunctionUrl and "
          "lambda:InvokeFunction on {}:{}",
          spec_.name, spec_.alias);
    }
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
  std::vector<std::string> layers_;  // ARNs
};

}  // namespace

Error WithAdvice(Error error) {
  if (error.remote_type == "PreconditionFailedException" ||
      error.remote_type == "ResourceConflictException") {
    error.code = ErrorCode::kAlreadyExists;
    error.message +=
        "; somebody else has changed it since it was looked at: look at the difference with "
        "--dry-run and run the same command again";
  }
  return error;
}

std::expected<DeployOutcome, Error> Apply(Api& api, Lambda& lambda, const Clock& clock,
                                          const DeployRequest& request, const Plan& plan,
                                          std::vector<std::string>& done) {
  return Applier(api, lambda, clock, request, plan, done).Run();
}

}  // namespace kelvin::deploy
