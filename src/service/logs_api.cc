#include "service/logs_api.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/encoding.h"
#include "service/epoch.h"
#include "service/log_query.h"
#include "service/logs_fields.h"
#include "service/offload.h"

namespace kelvin::service {

namespace json = boost::json;

namespace {

constexpr std::string_view kTarget = "Logs_20140328.";
constexpr std::size_t kMostEvents = 10'000;
constexpr std::size_t kMostListed = 50;
constexpr std::size_t kMostPutBytes = 1'048'576;
constexpr std::size_t kMostEventBytes = 1'048'576;
constexpr std::size_t kBytesPerPutEvent = 26;
constexpr std::int64_t kHour = 3600LL * 1000;
constexpr int kRetentions[] = {1,   3,   5,   7,   14,   30,   60,   90,   120,  150,  180,
                               365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653};

struct Call {
  LogStore& store;
  const Place& place;
  const Clock& clock;
  const LogsFields& fields;
};

[[noreturn]] void Fail(std::string_view type, std::string message) {
  throw LogsError{type, std::move(message)};
}

[[noreturn]] void FailAs(const Error& error) {
  switch (error.code) {
    case ErrorCode::kNotFound:
      Fail("ResourceNotFoundException", error.message);
    case ErrorCode::kAlreadyExists:
      Fail("ResourceAlreadyExistsException", error.message);
    case ErrorCode::kInvalidArgument:
      Fail("InvalidParameterException", error.message);
    default:
      Fail("ServiceUnavailableException", error.message);
  }
}

[[noreturn]] void FailOnToken() {
  Fail("InvalidParameterException", "The specified nextToken is invalid.");
}

void Check(const std::expected<void, Error>& done) {
  if (!done) FailAs(done.error());
}

LogGroup GroupOf(const Call& call, const std::string& name) {
  auto group = call.store.FindGroup(name);
  if (!group) Fail("ResourceNotFoundException", "The specified log group does not exist.");
  return std::move(*group);
}

void CheckStream(const Call& call, const std::string& group, const std::string& stream) {
  if (call.store.HasStream(group, stream)) return;
  Fail("ResourceNotFoundException", "The specified log stream does not exist.");
}

std::string GroupArn(const Call& call, std::string_view name) {
  return fmt::format("arn:aws:logs:{}:{}:log-group:{}", call.place.region, call.place.account_id,
                     name);
}

// One page of things that are listed by name. The token is where the page before ended.
template <typename Item>
std::vector<Item> PageOf(const Call& call, std::vector<Item> all, std::string Item::* name,
                         json::object& answer) {
  auto begin = all.begin();
  if (const auto token = call.fields.OptionalText("nextToken")) {
    const auto last = Base64Decode(*token);
    if (!last) FailOnToken();
    const auto found = std::ranges::find(all, *last, name);
    if (found == all.end()) FailOnToken();
    begin = found + 1;
  }
  const auto limit = static_cast<std::ptrdiff_t>(call.fields.Limit(kMostListed));
  const auto end = all.end() - begin > limit ? begin + limit : all.end();
  if (end != all.end()) answer["nextToken"] = Base64Encode((*(end - 1)).*name);
  return {std::make_move_iterator(begin), std::make_move_iterator(end)};
}

json::object CreateLogGroup(const Call& call) {
  Check(call.store.CreateGroup({.name = call.fields.Group(),
                                .created_ms = EpochMilliseconds(call.clock.WallNow()),
                                .retention_days = 0,
                                .tags = call.fields.Map("tags")}));
  return {};
}

json::object DeleteLogGroup(const Call& call) {
  Check(call.store.DeleteGroup(call.fields.Group()));
  return {};
}

bool ContainsIgnoringCase(std::string_view text, std::string_view part) {
  return !std::ranges::search(text, part,
                              [](char a, char b) {
                                const auto lower = [](char c) {
                                  return c >= 'A' && c <= 'Z' ? char(c + 32) : c;
                                };
                                return lower(a) == lower(b);
                              })
              .empty() ||
         part.empty();
}

json::object DescribeLogGroups(const Call& call) {
  const auto prefix = call.fields.OptionalText("logGroupNamePrefix");
  const auto pattern = call.fields.OptionalText("logGroupNamePattern");
  if (prefix && pattern) {
    Fail("InvalidParameterException",
         "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.");
  }
  auto groups = call.store.Groups();
  std::erase_if(groups, [&](const LogGroup& group) {
    return (prefix && !group.name.starts_with(*prefix)) ||
           (pattern && !ContainsIgnoringCase(group.name, *pattern));
  });
  json::object answer;
  json::array shown;
  for (const LogGroup& group : PageOf(call, std::move(groups), &LogGroup::name, answer)) {
    std::uint64_t bytes = 0;
    for (const LogStreamInfo& stream : call.store.Streams(group.name)) bytes += stream.bytes;
    json::object item{{"logGroupName", group.name},
                      {"creationTime", group.created_ms},
                      {"metricFilterCount", 0},
                      {"arn", GroupArn(call, group.name) + ":*"},
                      {"storedBytes", bytes},
                      {"logGroupClass", "STANDARD"},
                      {"logGroupArn", GroupArn(call, group.name)}};
    if (group.retention_days != 0) item["retentionInDays"] = group.retention_days;
    shown.push_back(std::move(item));
  }
  answer["logGroups"] = std::move(shown);
  return answer;
}

json::object PutRetentionPolicy(const Call& call) {
  LogGroup group = GroupOf(call, call.fields.Group());
  const auto days = call.fields.OptionalNumber("retentionInDays");
  if (!days) (void)call.fields.Text("retentionInDays");  // says that it must be there
  if (std::ranges::find(kRetentions, *days) == std::end(kRetentions)) {
    Fail("InvalidParameterException",
         fmt::format("1 validation error detected: Value '{}' at 'retentionInDays' failed to "
                     "satisfy constraint: Member must satisfy enum value set: [{}]",
                     *days, fmt::join(kRetentions, ", ")));
  }
  group.retention_days = static_cast<int>(*days);
  Check(call.store.ChangeGroup(group));
  return {};
}

json::object DeleteRetentionPolicy(const Call& call) {
  LogGroup group = GroupOf(call, call.fields.Group());
  group.retention_days = 0;
  Check(call.store.ChangeGroup(group));
  return {};
}

json::object CreateLogStream(const Call& call) {
  Check(call.store.CreateStream(call.fields.Group(), call.fields.Stream()));
  return {};
}

json::object DeleteLogStream(const Call& call) {
  Check(call.store.DeleteStream(call.fields.Group(), call.fields.Stream()));
  return {};
}

// Streams whose events are all past the retention are as good as gone.
std::vector<LogStreamInfo> StreamsOf(const Call& call, const LogGroup& group) {
  auto streams = call.store.Streams(group.name);
  const std::int64_t from = call.store.RetainedFrom(group);
  std::erase_if(streams, [from](const LogStreamInfo& stream) {
    return stream.last_ms.value_or(stream.created_ms) < from;
  });
  return streams;
}

json::object DescribeLogStreams(const Call& call) {
  const LogGroup group = GroupOf(call, call.fields.Group());
  const auto prefix = call.fields.OptionalText("logStreamNamePrefix");
  const std::string order = call.fields.OptionalText("orderBy").value_or("LogStreamName");
  if (order != "LogStreamName" && order != "LastEventTime") {
    Fail("InvalidParameterException",
         fmt::format("1 validation error detected: Value '{}' at 'orderBy' failed to satisfy "
                     "constraint: Member must satisfy enum value set: [LogStreamName, "
                     "LastEventTime]",
                     order));
  }
  if (order == "LastEventTime" && prefix) {
    Fail("InvalidParameterException", "Cannot order by LastEventTime with a logStreamNamePrefix.");
  }
  auto streams = StreamsOf(call, group);
  if (prefix) {
    std::erase_if(streams, [&](const LogStreamInfo& it) { return !it.name.starts_with(*prefix); });
  }
  if (order == "LastEventTime") {
    std::ranges::sort(streams, {}, [](const LogStreamInfo& it) {
      return std::pair<std::int64_t, std::string_view>(it.last_ms.value_or(0), it.name);
    });
  }
  if (call.fields.Flag("descending")) std::ranges::reverse(streams);
  json::object answer;
  json::array shown;
  for (const LogStreamInfo& stream :
       PageOf(call, std::move(streams), &LogStreamInfo::name, answer)) {
    json::object item{
        {"logStreamName", stream.name},
        {"creationTime", stream.created_ms},
        {"arn", fmt::format("{}:log-stream:{}", GroupArn(call, group.name), stream.name)},
        {"storedBytes", 0},  // as CloudWatch says of every stream since 2019
        {"uploadSequenceToken", "0"}};
    if (stream.first_ms) {
      item["firstEventTimestamp"] = *stream.first_ms;
      item["lastEventTimestamp"] = *stream.last_ms;
      item["lastIngestionTime"] = *stream.last_ms;
    }
    shown.push_back(std::move(item));
  }
  answer["logStreams"] = std::move(shown);
  return answer;
}

json::object EventJson(const LogEvent& event) {
  return {{"timestamp", event.key.time_ms},
          {"message", event.message},
          {"ingestionTime", event.key.time_ms}};
}

LogRange RangeOf(const Call& call, const LogGroup& group, std::int64_t beyond_end) {
  LogRange range{.from_ms = call.fields.OptionalNumber("startTime").value_or(0)};
  if (const auto end = call.fields.OptionalNumber("endTime")) {
    range.to_ms = *end > range.to_ms - beyond_end ? range.to_ms : *end + beyond_end;
  }
  range.from_ms = std::max(range.from_ms, call.store.RetainedFrom(group));
  return range;
}

std::vector<std::string> StreamsToFilter(const Call& call, const LogGroup& group,
                                         const LogRange& range) {
  std::vector<std::string> names = call.fields.Texts("logStreamNames");
  const auto prefix = call.fields.OptionalText("logStreamNamePrefix");
  if (prefix && !names.empty()) {
    Fail("InvalidParameterException",
         "LogStreamNames and logStreamNamePrefix are mutually exclusive.");
  }
  if (!names.empty()) {
    for (const std::string& name : names) CheckStream(call, group.name, name);
    return names;
  }
  for (const LogStreamInfo& stream : call.store.Streams(group.name)) {
    if (prefix && !stream.name.starts_with(*prefix)) continue;
    // Times within a stream nearly always rise, but a clock that was set back must hide nothing.
    if (!stream.last_ms || *stream.last_ms < range.from_ms - kHour) continue;
    names.push_back(stream.name);
  }
  return names;
}

json::object FilterLogEvents(const Call& call) {
  const LogGroup group = GroupOf(call, call.fields.Group());
  const LogRange range = RangeOf(call, group, 1);
  const auto filter = LogFilter::Parse(call.fields.OptionalText("filterPattern").value_or(""));
  if (!filter) FailAs(filter.error());
  std::optional<LogKey> after;
  if (const auto token = call.fields.OptionalText("nextToken")) {
    after = ParseLogKey(*token);
    if (!after) FailOnToken();
  }
  const LogPage page = FilterLogs(call.store, group.name, StreamsToFilter(call, group, range),
                                  range, *filter, call.fields.Limit(kMostEvents), after);
  json::array events;
  for (const LogEvent& event : page.events) {
    json::object item = EventJson(event);
    item["logStreamName"] = event.stream;
    item["eventId"] = FormatLogKey(event.key);
    events.push_back(std::move(item));
  }
  json::object answer{{"events", std::move(events)}, {"searchedLogStreams", json::array()}};
  if (page.next) answer["nextToken"] = FormatLogKey(*page.next);
  return answer;
}

json::object GetLogEvents(const Call& call) {
  const LogGroup group = GroupOf(call, call.fields.Group());
  const std::string stream = call.fields.Stream();
  CheckStream(call, group.name, stream);
  auto direction =
      call.fields.Flag("startFromHead") ? LogDirection::kForward : LogDirection::kBackward;
  LogKey key;
  if (direction == LogDirection::kBackward) key.time_ms = std::numeric_limits<std::int64_t>::max();
  const auto token = call.fields.OptionalText("nextToken");
  if (token) {
    const bool forward = token->starts_with("f/");
    const auto parsed =
        ParseLogKey(std::string_view(*token).substr(std::min<std::size_t>(2, token->size())));
    if (!parsed || (!forward && !token->starts_with("b/"))) FailOnToken();
    key = *parsed;
    direction = forward ? LogDirection::kForward : LogDirection::kBackward;
  }
  const auto events = ReadLog(call.store, group.name, stream, RangeOf(call, group, 0),
                              call.fields.Limit(kMostEvents), direction, key);
  json::array shown;
  for (const LogEvent& event : events) shown.push_back(EventJson(event));
  // "f/K" is what comes after K, "b/K" what comes before. Where nothing is left, the way on stays
  // the same, and the way back begins beyond what has been seen.
  LogKey forward = key;
  LogKey backward = key;
  if (!events.empty()) {
    backward = events.front().key;
    forward = events.back().key;
  } else if (!token) {
    forward = backward = LogKey{};
  } else if (direction == LogDirection::kForward) {
    ++backward.position;
  } else if (forward.position > 0) {
    --forward.position;
  }
  return {{"events", std::move(shown)},
          {"nextForwardToken", "f/" + FormatLogKey(forward)},
          {"nextBackwardToken", "b/" + FormatLogKey(backward)}};
}

json::object PutLogEvents(const Call& call) {
  const LogGroup group = GroupOf(call, call.fields.Group());
  const std::string stream = call.fields.Stream();
  CheckStream(call, group.name, stream);
  std::string text;
  std::vector<LogEntry> entries;
  std::size_t size = 0;
  for (const json::value& item : call.fields.Array("logEvents")) {
    if (!item.is_object()) Fail("SerializationException", "logEvents is of the wrong type");
    const LogsFields event(item.get_object());
    const std::string message = event.Text("message");
    const auto time = event.OptionalNumber("timestamp");
    if (!time) (void)event.Text("timestamp");
    if (*time < 0) {
      Fail("InvalidParameterException",
           fmt::format("1 validation error detected: Value '{}' at 'logEvents.1.member.timestamp' "
                       "failed to satisfy constraint: Member must have value greater than or "
                       "equal to 0",
                       *time));
    }
    if (message.size() > kMostEventBytes) {
      Fail("InvalidParameterException",
           fmt::format("Log event too large: {} bytes exceeds limit of {}", message.size(),
                       kMostEventBytes));
    }
    if (!entries.empty() && entries.back().time_ms > *time) {
      Fail("InvalidParameterException",
           "Log events in a single PutLogEvents request must be in chronological order.");
    }
    size += message.size() + kBytesPerPutEvent;
    entries.push_back({.time_ms = *time,
                       .offset = static_cast<std::uint32_t>(text.size()),
                       .size = static_cast<std::uint32_t>(message.size())});
    text += message;
    text.push_back('\n');
  }
  if (size > kMostPutBytes) {
    Fail("InvalidParameterException",
         fmt::format("Upload too large: {} bytes exceeds limit of {}", size, kMostPutBytes));
  }
  Check(call.store.Append(group.name, stream, text, entries));
  return {{"nextSequenceToken", FormatLogKey({})}};
}

json::object TagsJson(const StringMap& tags) {
  json::object shown;
  for (const auto& [key, value] : tags) shown[key] = value;
  return shown;
}

std::string TaggedGroup(const Call& call) {
  return call.fields.Has("resourceArn") ? LogGroupOfArn(call.fields.Text("resourceArn"))
                                        : call.fields.Group();
}

json::object ListTags(const Call& call) {
  return {{"tags", TagsJson(GroupOf(call, TaggedGroup(call)).tags)}};
}

json::object Tag(const Call& call) {
  LogGroup group = GroupOf(call, TaggedGroup(call));
  for (const auto& [key, value] : call.fields.Map("tags")) group.tags.insert_or_assign(key, value);
  Check(call.store.ChangeGroup(group));
  return {};
}

json::object Untag(const Call& call) {
  LogGroup group = GroupOf(call, TaggedGroup(call));
  for (const std::string_view field : {"tagKeys", "tags"}) {
    for (const std::string& key : call.fields.Texts(field)) group.tags.erase(key);
  }
  Check(call.store.ChangeGroup(group));
  return {};
}

struct Row {
  std::string_view name;
  json::object (*answer)(const Call& call);
};

constexpr Row kRows[] = {
    {"CreateLogGroup", CreateLogGroup},
    {"DeleteLogGroup", DeleteLogGroup},
    {"DescribeLogGroups", DescribeLogGroups},
    {"PutRetentionPolicy", PutRetentionPolicy},
    {"DeleteRetentionPolicy", DeleteRetentionPolicy},
    {"CreateLogStream", CreateLogStream},
    {"DeleteLogStream", DeleteLogStream},
    {"DescribeLogStreams", DescribeLogStreams},
    {"FilterLogEvents", FilterLogEvents},
    {"GetLogEvents", GetLogEvents},
    {"PutLogEvents", PutLogEvents},
    {"ListTagsForResource", ListTags},
    {"ListTagsLogGroup", ListTags},
    {"TagResource", Tag},
    {"TagLogGroup", Tag},
    {"UntagResource", Untag},
    {"UntagLogGroup", Untag},
};

// Calls whose answer has no body at all.
bool AnswersNothing(std::string_view call) {
  return call.starts_with("Create") || call.starts_with("Delete") || call == "PutRetentionPolicy" ||
         call.starts_with("Tag") || call.starts_with("Untag");
}

}  // namespace

LogsAnswer AnswerLogsCall(LogStore& store, const Place& place, const Clock& clock,
                          std::string_view name, std::string_view body) {
  const auto row = std::ranges::find(kRows, name, &Row::name);
  if (row == std::end(kRows)) return std::unexpected(LogsError{"UnknownOperationException", {}});
  boost::system::error_code error;
  const json::value document = json::parse(body.empty() ? "{}" : body, error);
  if (error || !document.is_object()) {
    return std::unexpected(LogsError{"SerializationException", "The request is no JSON object."});
  }
  try {
    const LogsFields fields(document.get_object());
    return row->answer({store, place, clock, fields});
  } catch (LogsError& failure) {
    return std::unexpected(std::move(failure));
  }
}

bool LogsApi::Accepts(const http::Request& request) {
  return request.method == "POST" && request.headers.Get("X-Amz-Target").starts_with(kTarget);
}

boost::asio::awaitable<http::Response> LogsApi::Handle(http::Request request) {
  const std::string call(request.headers.Get("X-Amz-Target").substr(kTarget.size()));
  parts_.logs.Flush();
  const LogsAnswer answer = co_await Offload(workers_, [&] {
    return AnswerLogsCall(parts_.logs.store(), parts_.place, parts_.clock, call, request.body);
  });
  http::Response response{
      .status = 200, .headers = {{"Content-Type", "application/x-amz-json-1.1"}}, .body = {}};
  if (answer) {
    if (!AnswersNothing(call)) response.body = json::serialize(*answer);
    co_return response;
  }
  const LogsError& error = answer.error();
  if (error.type == "UnknownOperationException") {
    parts_.log.Write(LogLevel::kWarn, "service", "no such call of CloudWatch Logs here: {}", call);
  }
  response.status = error.type == "ServiceUnavailableException" ? 500 : 400;
  response.headers.Add("x-amzn-ErrorType", error.type);
  json::object document{{"__type", error.type}};
  if (!error.message.empty()) document["message"] = error.message;
  response.body = json::serialize(document);
  co_return response;
}

}  // namespace kelvin::service
