#include "deploy/log_group.h"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace kelvin::deploy {
namespace {

namespace json = boost::json;

ApiCall LogsCall(const std::string& action, const json::object& body) {
  return JsonCall("logs", "Logs_20140328", "1.1", action, json::serialize(body));
}

}  // namespace

std::string LogGroupName(const std::string& function) {
  return "/aws/lambda/" + function;
}

std::expected<std::optional<LogGroup>, Error> FindLogGroup(Api& api, const std::string& function) {
  const std::string name = LogGroupName(function);
  const auto answer = api.Send(LogsCall("DescribeLogGroups", {{"logGroupNamePrefix", name}}));
  if (!answer) return std::unexpected(answer.error());
  boost::system::error_code failed;
  const json::value document = json::parse(*answer, failed);
  const json::object* object = failed ? nullptr : document.if_object();
  const json::value* groups = object == nullptr ? nullptr : object->if_contains("logGroups");
  if (groups == nullptr || !groups->is_array()) {
    return std::unexpected(Error{
        ErrorCode::kCorrupt, "expected logGroups in the answer of DescribeLogGroups, got none"});
  }
  // Names sort, and the shortest of those that begin so is the name itself: it is the first.
  for (const json::value& entry : groups->as_array()) {
    const json::object* group = entry.if_object();
    const json::value* given = group == nullptr ? nullptr : group->if_contains("logGroupName");
    if (given == nullptr || *given != json::string(name)) continue;
    LogGroup found;
    const json::value* days = group->if_contains("retentionInDays");
    if (days != nullptr && days->is_int64()) {
      found.retention_days = static_cast<int>(days->get_int64());
    }
    return found;
  }
  return std::nullopt;
}

std::expected<void, Error> EnsureLogGroup(Api& api, const std::string& function, int retention_days,
                                          std::vector<std::string>& done) {
  const std::string name = LogGroupName(function);
  auto made = api.Send(LogsCall("CreateLogGroup", {{"logGroupName", name}}));
  const bool exists = !made && made.error().remote_type.starts_with("ResourceAlreadyExists");
  if (!made && !exists) return std::unexpected(std::move(made.error()));
  if (made) done.push_back(fmt::format("created log group {}", name));
  auto kept = api.Send(LogsCall("PutRetentionPolicy",
                                {{"logGroupName", name}, {"retentionInDays", retention_days}}));
  if (!kept) return std::unexpected(std::move(kept.error()));
  done.push_back(fmt::format("logs are kept for {} days", retention_days));
  return {};
}

}  // namespace kelvin::deploy
