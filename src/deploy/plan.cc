#include <fmt/format.h>
#include <fmt/ranges.h>

#include "deploy/deployment.h"
#include "deploy/log_group.h"
#include "deploy/role.h"

namespace kelvin::deploy {
namespace {

namespace json = boost::json;

std::string ShortSha(const std::string& sha) {
  return sha.substr(0, 12);
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

std::string Shown(const std::vector<std::string>& layers) {
  return fmt::format("{}", fmt::join(layers, " "));
}

std::vector<std::string> Names(const std::vector<PlannedLayer>& layers) {
  std::vector<std::string> names;
  for (const PlannedLayer& layer : layers) names.push_back(layer.name);
  return names;
}

// Looks at one thing after the other, and writes down what is to be done.
class Planner {
 public:
  Planner(Api& api, Lambda& lambda, const Clock& clock, const DeployRequest& request)
      : api_(api), lambda_(lambda), clock_(clock), request_(request), spec_(request.spec) {}

  std::expected<Plan, Error> Run() {
    using Step = std::expected<void, Error> (Planner::*)();
    for (const Step step : {&Planner::Function, &Planner::Layers, &Planner::Role, &Planner::Logs,
                            &Planner::Settings, &Planner::Alias, &Planner::Tags, &Planner::Url}) {
      if (auto looked = (this->*step)(); !looked) return std::unexpected(looked.error());
    }
    return std::move(plan_);
  }

 private:
  using Result = std::expected<void, Error>;

  template <typename Value>
  bool Differs(std::string what, const Value& from, const Value& to, std::string_view unit = {}) {
    if (from == to) return false;
    plan_.changes.push_back(
        {std::move(what), fmt::format("{}{}", from, unit), fmt::format("{}{}", to, unit)});
    return true;
  }
  void Adds(std::string what, std::string to) {
    plan_.changes.push_back({std::move(what), "", std::move(to)});
  }

  Result Function() {
    auto function = lambda_.Get(spec_.name);
    if (!function) return std::unexpected(std::move(function.error()));
    plan_.environment = spec_.environment;
    plan_.create = !*function;
    if (plan_.create) return {};
    const RemoteConfiguration& now = **function;
    if (now.state == "Pending" || now.update_status == "InProgress") {
      auto rested = WaitWhileBusy(lambda_, clock_, spec_.name);
      if (!rested) return std::unexpected(std::move(rested.error()));
      rested->tags = now.tags;
      function = std::move(*rested);
    }
    plan_.function = std::move(*function);
    // What others have set stays.
    plan_.environment.insert(plan_.function->environment.begin(),
                             plan_.function->environment.end());
    return {};
  }

  Result Layers() {
    auto layers = FindLayers(lambda_, request_.layers);
    if (!layers) return std::unexpected(std::move(layers.error()));
    plan_.layers = std::move(*layers);
    if (request_.layers_given || !plan_.function) return {};
    for (const std::string& arn : plan_.function->layers) {
      if (LayerName(arn) != kEngineLayer) plan_.layers.push_back({.arn = arn, .name = arn});
    }
    return {};
  }

  Result Role() {
    if (request_.place == Place::kLocal || !spec_.role.empty()) return {};
    if (plan_.create) {
      plan_.role = true;
      Adds("role", RoleName(spec_.name));
      return {};
    }
    if (!IsOwnRole(plan_.function->role, spec_.name)) return {};
    const auto current = IsPolicyCurrent(api_, spec_);
    if (!current) return std::unexpected(current.error());
    plan_.role = !*current;
    if (plan_.role) {
      plan_.changes.push_back({"role " + RoleName(spec_.name), "another policy",
                               fmt::format("allows logs {}", fmt::join(spec_.actions, " "))});
    }
    return {};
  }

  Result Logs() {
    const auto group = FindLogGroup(api_, spec_.name);
    if (!group) return std::unexpected(group.error());
    const std::string wanted = fmt::format("{} days", spec_.log_retention_days);
    if (!*group) {
      plan_.logs = true;
      Adds("log group", fmt::format("{}, kept for {}", LogGroupName(spec_.name), wanted));
      return {};
    }
    const std::optional<int> now = (*group)->retention_days;
    if (now == spec_.log_retention_days || (now && !request_.log_retention_given)) return {};
    plan_.logs = true;
    plan_.changes.push_back(
        {"log retention", now ? fmt::format("{} days", *now) : "for ever", wanted});
    return {};
  }

  Result Settings() { return plan_.create ? SettingsOfNew() : SettingsOfExisting(); }

  Result SettingsOfNew() {
    plan_.publish = true;
    Adds("function", spec_.name);
    Adds("code", ShortSha(request_.package.sha256));
    Adds("memory", fmt::format("{} MB", spec_.memory_mb));
    Adds("time-out", fmt::format("{} s", spec_.timeout_seconds));
    if (!plan_.layers.empty()) Adds("layers", Shown(Names(plan_.layers)));
    for (const auto& [name, value] : spec_.environment) Adds("environment " + name, value);
    for (const auto& [name, value] : spec_.tags) Adds("tag " + name, value);
    Adds("alias", spec_.alias);
    return {};
  }

  Result SettingsOfExisting() {
    const RemoteConfiguration& remote = *plan_.function;
    plan_.code = Differs("code", ShortSha(remote.code_sha256), ShortSha(request_.package.sha256));
    plan_.code |= Differs("architecture", remote.architecture, spec_.architecture);
    plan_.configuration |= Differs("memory", remote.memory_mb, spec_.memory_mb, " MB");
    plan_.configuration |= Differs("time-out", remote.timeout_seconds, spec_.timeout_seconds, " s");
    plan_.configuration |= Differs("runtime", remote.runtime, spec_.runtime);
    plan_.configuration |= Differs("handler", remote.handler, spec_.handler);
    if (!spec_.role.empty()) plan_.configuration |= Differs("role", remote.role, spec_.role);
    plan_.configuration |= Differs("layers", Shown(remote.layers), Shown(Names(plan_.layers)));
    plan_.configuration |= CompareEnvironment(plan_.changes, remote.environment, plan_.environment);
    plan_.publish = plan_.code || plan_.configuration;
    return {};
  }

  // Whether a version is what the request wants, so that the alias may stay at it.
  bool IsAsWanted(const RemoteConfiguration& remote) const {
    return remote.code_sha256 == request_.package.sha256 && remote.memory_mb == spec_.memory_mb &&
           remote.timeout_seconds == spec_.timeout_seconds && remote.runtime == spec_.runtime &&
           remote.handler == spec_.handler && remote.architecture == spec_.architecture &&
           remote.layers == Names(plan_.layers) && remote.environment == plan_.environment;
  }

  Result Alias() {
    if (plan_.create) return {};
    auto alias = lambda_.Alias(spec_.name, spec_.alias);
    if (!alias) return std::unexpected(std::move(alias.error()));
    plan_.alias = std::move(*alias);
    if (!plan_.alias) {
      plan_.publish = true;
      Adds("alias", spec_.alias);
      return {};
    }
    if (!plan_.alias->weights.empty()) {
      return std::unexpected(Error{
          ErrorCode::kAlreadyExists,
          fmt::format("expected alias {} of {} at one version, a rollout to version {} is under "
                      "way; finish it with 'kelvin rollout', or end it with 'kelvin rollback'",
                      spec_.alias, spec_.name, plan_.alias->weights.begin()->first)});
    }
    if (plan_.publish) return {};
    std::string qualifier = spec_.alias;
    if (request_.alias_move == AliasMove::kLeave) {
      const auto versions = lambda_.Versions(spec_.name);
      if (!versions) return std::unexpected(versions.error());
      if (!versions->empty()) qualifier = versions->back();
    }
    const auto at = lambda_.Configuration(spec_.name, qualifier);
    if (!at) return std::unexpected(at.error());
    if (!*at || !IsAsWanted(**at)) {
      plan_.publish = true;
      plan_.changes.push_back({"published", "version " + plan_.alias->version, "new version"});
    }
    return {};
  }

  Result Tags() {
    if (plan_.create) return {};
    for (const auto& [key, value] : spec_.tags) {
      const auto found = plan_.function->tags.find(key);
      const std::string now = found != plan_.function->tags.end() ? found->second : "";
      plan_.tags |= Differs("tag " + key, now, value);
    }
    return {};
  }

  Result Url() {
    if (!request_.url_auth) return {};
    std::optional<std::string> auth;
    std::set<std::string> statements;
    if (plan_.alias) {
      auto read = lambda_.UrlAuth(spec_.name, spec_.alias);
      if (!read) return std::unexpected(std::move(read.error()));
      auth = std::move(*read);
      plan_.url_exists = auth.has_value();
      auto policy = lambda_.PolicyStatements(spec_.name, spec_.alias);
      if (!policy) return std::unexpected(std::move(policy.error()));
      statements = std::move(*policy);
    }
    if (auth != request_.url_auth) {
      plan_.url_auth = request_.url_auth;
      plan_.changes.push_back({"function URL", auth.value_or(""), *request_.url_auth});
    }
    const bool anybody = *request_.url_auth == "NONE";
    for (const std::string_view statement : kUrlStatements) {
      const std::string id(statement);
      if (statements.contains(id) == anybody) continue;
      (anybody ? plan_.add_permissions : plan_.drop_permissions).push_back(id);
      plan_.changes.push_back({"permission " + id, anybody ? "" : "anybody",
                               anybody ? "anybody, by the URL" : "nobody by itself"});
    }
    return {};
  }

  Api& api_;
  Lambda& lambda_;
  const Clock& clock_;
  const DeployRequest& request_;
  const FunctionSpec& spec_;
  Plan plan_;
};

}  // namespace

std::expected<Plan, Error> MakePlan(Api& api, Lambda& lambda, const Clock& clock,
                                    const DeployRequest& request) {
  return Planner(api, lambda, clock, request).Run();
}

}  // namespace kelvin::deploy
