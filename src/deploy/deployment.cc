#include "deploy/deployment.h"

#include <algorithm>

#include <fmt/format.h>

#include "deploy/role.h"

namespace kelvin::deploy {
namespace {

namespace json = boost::json;

constexpr std::string_view kPrevious = "previous version ";

}  // namespace

std::expected<RemoteConfiguration, Error> WaitWhileBusy(Lambda& lambda, const Clock& clock,
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

std::expected<RemoteConfiguration, Error> WaitUntilReady(Lambda& lambda, const Clock& clock,
                                                         const std::string& function) {
  auto now = WaitWhileBusy(lambda, clock, function);
  if (!now || (now->state != "Failed" && now->update_status != "Failed")) return now;
  return std::unexpected(
      Error{ErrorCode::kInvalidArgument,
            fmt::format("function {} could not be updated: {}", function, now->reason)});
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
  if (!updated) return std::unexpected(WithAdvice(std::move(updated.error())));
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
