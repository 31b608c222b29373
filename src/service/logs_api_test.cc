#include "service/logs_api.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fake_clock.h"
#include "service/log_query.h"
#include "service/log_stream.h"

namespace kelvin::service {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LogsApiTest : public ::testing::Test {
 protected:
  json::object Call(std::string_view name, const json::object& body) {
    auto answer = AnswerLogsCall(*store_, place_, clock_, name, json::serialize(body));
    if (!answer) ADD_FAILURE() << name << ": " << answer.error().type << answer.error().message;
    return answer ? std::move(*answer) : json::object{};
  }
  std::string Refusal(std::string_view name, const json::object& body) {
    auto answer = AnswerLogsCall(*store_, place_, clock_, name, json::serialize(body));
    return answer ? "" : std::string(answer.error().type) + ": " + answer.error().message;
  }
  // Lines of a function, a millisecond apart.
  void Write(const std::string& group, const std::string& stream,
             const std::vector<std::string>& lines) {
    LogStream log(logs_, group, stream, {}, clock_, log_);
    for (const std::string& line : lines) {
      log.Platform(line);
      clock_.Advance(1ms);
    }
  }
  static std::vector<std::string> Texts(const json::object& answer, std::string_view list,
                                        std::string_view field) {
    std::vector<std::string> texts;
    for (const json::value& item : answer.at(list).as_array()) {
      texts.emplace_back(item.at(field).as_string());
    }
    return texts;
  }
  std::int64_t now() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               clock_.WallNow().time_since_epoch())
        .count();
  }
  void Reopen() { store_ = LogStore::Open(folder_.path(), clock_).value(); }

  TemporaryDirectory folder_ = TemporaryDirectory::Create().value();
  FakeClock clock_;
  Log log_{clock_, LogLevel::kInfo, [](std::string_view) {}};
  Place place_{"us-east-1", "123456789012"};
  std::unique_ptr<LogStore> store_ = LogStore::Open(folder_.path(), clock_).value();
  FunctionLogs logs_{*store_};
  const std::string group_ = "/aws/lambda/f";
  const std::string stream_ = "2026/11/25/[$LATEST]0123456789abcdef0123456789abcdef";
};

TEST_F(LogsApiTest, ShowsWhatAFunctionLogged) {
  const std::int64_t begin = now();
  Write(group_, stream_, {"one", "two"});
  const auto got = Call("GetLogEvents", {{"logGroupName", group_}, {"logStreamName", stream_}});
  EXPECT_THAT(Texts(got, "events", "message"), ElementsAre("one\n", "two\n"));
  EXPECT_EQ(got.at("events").at(0).at("timestamp"), begin);
  EXPECT_EQ(got.at("events").at(1).at("timestamp"), begin + 1);
  const auto groups = Call("DescribeLogGroups", {});
  EXPECT_THAT(Texts(groups, "logGroups", "arn"),
              ElementsAre("arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/f:*"));
  EXPECT_EQ(groups.at("logGroups").at(0).at("storedBytes"), 8);
  const auto streams = Call("DescribeLogStreams", {{"logGroupName", group_}});
  EXPECT_THAT(Texts(streams, "logStreams", "logStreamName"), ElementsAre(stream_));
  EXPECT_EQ(streams.at("logStreams").at(0).at("firstEventTimestamp"), begin);
  EXPECT_EQ(streams.at("logStreams").at(0).at("lastEventTimestamp"), begin + 1);
}

TEST_F(LogsApiTest, AreThereAfterARestart) {
  Write(group_, stream_, {"one"});
  Call("PutRetentionPolicy", {{"logGroupName", group_}, {"retentionInDays", 7}});
  Call("TagLogGroup", {{"logGroupName", group_}, {"tags", {{"team", "blue"}}}});
  Reopen();
  const auto groups = Call("DescribeLogGroups", {});
  EXPECT_EQ(groups.at("logGroups").at(0).at("retentionInDays"), 7);
  const auto tags =
      Call("ListTagsForResource",
           {{"resourceArn", "arn:aws:logs:us-east-1:123456789012:log-group:" + group_}});
  EXPECT_EQ(tags.at("tags").at("team"), "blue");
  EXPECT_THAT(Texts(Call("FilterLogEvents", {{"logGroupName", group_}}), "events", "message"),
              ElementsAre("one\n"));
}

TEST_F(LogsApiTest, MergesStreamsByTime) {
  Write(group_, "a", {"1"});
  Write(group_, "b", {"2"});
  Write(group_, "a", {"3"});
  const auto all = Call("FilterLogEvents", {{"logGroupName", group_}});
  EXPECT_THAT(Texts(all, "events", "message"), ElementsAre("1\n", "2\n", "3\n"));
  EXPECT_THAT(Texts(all, "events", "logStreamName"), ElementsAre("a", "b", "a"));
  EXPECT_FALSE(all.contains("nextToken"));
  EXPECT_THAT(Texts(Call("FilterLogEvents", {{"logGroupName", group_}, {"logStreamNames", {"b"}}}),
                    "events", "message"),
              ElementsAre("2\n"));
  EXPECT_THAT(
      Texts(Call("FilterLogEvents", {{"logGroupName", group_}, {"logStreamNamePrefix", "a"}}),
            "events", "message"),
      ElementsAre("1\n", "3\n"));
}

TEST_F(LogsApiTest, PagesThroughAFilterWithoutLossOrRepetition) {
  std::vector<std::string> written;
  for (int i = 0; i < 25; ++i) written.push_back("line " + std::to_string(i));
  for (const std::string& line : written) Write(group_, line.ends_with('3') ? "b" : "a", {line});
  std::vector<std::string> seen;
  json::object body{{"logGroupName", group_}, {"limit", 4}};
  int pages = 0;
  for (bool more = true; more; ++pages) {
    const auto page = Call("FilterLogEvents", body);
    for (std::string& text : Texts(page, "events", "message")) {
      seen.push_back(text.substr(0, text.size() - 1));
    }
    more = page.contains("nextToken");
    if (more) body["nextToken"] = page.at("nextToken");
  }
  EXPECT_EQ(seen, written);
  EXPECT_EQ(pages, 7);
}

TEST_F(LogsApiTest, FiltersByTimeAndPattern) {
  const std::int64_t begin = now();
  Write(group_, stream_, {"zero", "ERROR one", "two", "ERROR three"});
  const auto filter = [&](json::object body) {
    body["logGroupName"] = group_;
    return Texts(Call("FilterLogEvents", body), "events", "message");
  };
  EXPECT_THAT(filter({{"filterPattern", "ERROR"}}), ElementsAre("ERROR one\n", "ERROR three\n"));
  EXPECT_THAT(filter({{"startTime", begin + 1}, {"endTime", begin + 2}}),
              ElementsAre("ERROR one\n", "two\n"));
  EXPECT_THAT(filter({{"startTime", begin + 9}}), IsEmpty());
  EXPECT_EQ(Refusal("FilterLogEvents", {{"logGroupName", group_}, {"filterPattern", "{"}}),
            "InvalidParameterException: Invalid filter pattern");
}

TEST_F(LogsApiTest, PagesThroughAStreamBothWays) {
  const std::int64_t begin = now();
  Write(group_, stream_, {"0", "1", "2", "3", "4"});
  json::object body{{"logGroupName", group_}, {"logStreamName", stream_}, {"limit", 2}};
  const auto get = [&] { return Call("GetLogEvents", body); };
  auto page = get();
  EXPECT_THAT(Texts(page, "events", "message"), ElementsAre("3\n", "4\n"));
  body["nextToken"] = page.at("nextBackwardToken");
  page = get();
  EXPECT_THAT(Texts(page, "events", "message"), ElementsAre("1\n", "2\n"));
  body["nextToken"] = page.at("nextForwardToken");
  page = get();
  EXPECT_THAT(Texts(page, "events", "message"), ElementsAre("3\n", "4\n"));
  body["nextToken"] = page.at("nextForwardToken");
  page = get();
  EXPECT_THAT(Texts(page, "events", "message"), IsEmpty());
  EXPECT_EQ(page.at("nextForwardToken"), body.at("nextToken")) << "the same token says: the end";
  Write(group_, stream_, {"5"});
  EXPECT_THAT(Texts(get(), "events", "message"), ElementsAre("5\n"));
  body["nextToken"] = page.at("nextBackwardToken");
  EXPECT_THAT(Texts(get(), "events", "message"), ElementsAre("3\n", "4\n"));
  body.erase("nextToken");
  body["startFromHead"] = true;
  EXPECT_THAT(Texts(get(), "events", "message"), ElementsAre("0\n", "1\n"));
  body["startTime"] = begin + 1;
  body["endTime"] = begin + 2;
  EXPECT_THAT(Texts(get(), "events", "message"), ElementsAre("1\n"));
  body["nextToken"] = "f/12";
  EXPECT_EQ(Refusal("GetLogEvents", body),
            "InvalidParameterException: The specified nextToken is invalid.");
}

TEST_F(LogsApiTest, ListsStreamsByNameAndByLastEvent) {
  Write(group_, "b", {"x"});
  Write(group_, "a", {"x"});
  Write(group_, "c", {"x"});
  const auto list = [&](json::object body) {
    body["logGroupName"] = group_;
    return Call("DescribeLogStreams", body);
  };
  EXPECT_THAT(Texts(list({}), "logStreams", "logStreamName"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(Texts(list({{"orderBy", "LastEventTime"}, {"descending", true}}), "logStreams",
                    "logStreamName"),
              ElementsAre("c", "a", "b"));
  const auto first = list({{"limit", 2}});
  EXPECT_THAT(Texts(first, "logStreams", "logStreamName"), ElementsAre("a", "b"));
  EXPECT_THAT(Texts(list({{"nextToken", first.at("nextToken")}}), "logStreams", "logStreamName"),
              ElementsAre("c"));
  EXPECT_EQ(Refusal("DescribeLogStreams", {{"logGroupName", group_},
                                           {"orderBy", "LastEventTime"},
                                           {"logStreamNamePrefix", "a"}}),
            "InvalidParameterException: Cannot order by LastEventTime with a logStreamNamePrefix.");
}

TEST_F(LogsApiTest, MakesAndDeletesGroupsAndStreams) {
  Call("CreateLogGroup", {{"logGroupName", "/a"}, {"tags", {{"k", "v"}}}});
  EXPECT_EQ(Refusal("CreateLogGroup", {{"logGroupName", "/a"}}),
            "ResourceAlreadyExistsException: The specified log group already exists");
  Call("CreateLogStream", {{"logGroupName", "/a"}, {"logStreamName", "s"}});
  EXPECT_EQ(Refusal("CreateLogStream", {{"logGroupName", "/a"}, {"logStreamName", "s"}}),
            "ResourceAlreadyExistsException: The specified log stream already exists");
  Call("PutLogEvents", {{"logGroupName", "/a"},
                        {"logStreamName", "s"},
                        {"logEvents", json::array{{{"timestamp", now()}, {"message", "two\nlines"}},
                                                  {{"timestamp", now()}, {"message", "more"}}}}});
  EXPECT_THAT(Texts(Call("FilterLogEvents", {{"logGroupName", "/a"}}), "events", "message"),
              ElementsAre("two\nlines", "more"));
  Call("DeleteLogStream", {{"logGroupName", "/a"}, {"logStreamName", "s"}});
  EXPECT_EQ(Refusal("GetLogEvents", {{"logGroupName", "/a"}, {"logStreamName", "s"}}),
            "ResourceNotFoundException: The specified log stream does not exist.");
  Call("DeleteLogGroup", {{"logGroupName", "/a"}});
  EXPECT_EQ(Refusal("DeleteLogGroup", {{"logGroupName", "/a"}}),
            "ResourceNotFoundException: The specified log group does not exist.");
  EXPECT_THAT(Texts(Call("DescribeLogGroups", {}), "logGroups", "logGroupName"), IsEmpty());
}

TEST_F(LogsApiTest, GoesOnLoggingWhenItsGroupIsDeleted) {
  LogStream log(logs_, group_, stream_, {}, clock_, log_);
  log.Platform("before");
  log.Flush();
  Call("DeleteLogGroup", {{"logGroupName", group_}});
  log.Platform("after");
  logs_.Flush();
  EXPECT_THAT(Texts(Call("FilterLogEvents", {{"logGroupName", group_}}), "events", "message"),
              ElementsAre("after\n"));
}

TEST_F(LogsApiTest, KeepsNothingBeyondTheRetention) {
  Write(group_, "old", {"old"});
  clock_.Advance(std::chrono::hours(48));
  Write(group_, "new", {"new"});
  Call("PutRetentionPolicy", {{"logGroupName", group_}, {"retentionInDays", 1}});
  EXPECT_THAT(Texts(Call("FilterLogEvents", {{"logGroupName", group_}}), "events", "message"),
              ElementsAre("new\n"));
  EXPECT_THAT(
      Texts(Call("DescribeLogStreams", {{"logGroupName", group_}}), "logStreams", "logStreamName"),
      ElementsAre("new"));
  Call("DeleteRetentionPolicy", {{"logGroupName", group_}});
  EXPECT_THAT(Texts(Call("FilterLogEvents", {{"logGroupName", group_}}), "events", "message"),
              ElementsAre("old\n", "new\n"));
  Call("PutRetentionPolicy", {{"logGroupName", group_}, {"retentionInDays", 1}});
  Reopen();
  EXPECT_FALSE(store_->HasStream(group_, "old"));
  EXPECT_TRUE(store_->HasStream(group_, "new"));
}

TEST_F(LogsApiTest, ReadsOnAcrossTheFilesOfALongStream) {
  LogStream log(logs_, group_, stream_, {}, clock_, log_);
  for (int i = 0; i < 400; ++i) log.Platform(std::to_string(i) + std::string(100'000, 'x'));
  log.Flush();
  std::vector<std::string> first_words;
  json::object body{{"logGroupName", group_}};
  for (bool more = true; more;) {
    const auto page = Call("FilterLogEvents", body);
    for (const std::string& text : Texts(page, "events", "message")) {
      EXPECT_TRUE(text.ends_with("xxx\n"));
      first_words.push_back(text.substr(0, text.find('x')));
    }
    more = page.contains("nextToken");
    if (more) body["nextToken"] = page.at("nextToken");
  }
  ASSERT_GT(first_words.size(), 200u);
  EXPECT_EQ(first_words.back(), "399");
  const int first = std::stoi(first_words.front());
  EXPECT_EQ(first_words.size(), static_cast<std::size_t>(400 - first));
  // Another run numbers events the same, and in order.
  EXPECT_TRUE(FormatLogKey({1, 2, 3}) < FormatLogKey({1, 2, 10}));
  EXPECT_EQ(ParseLogKey(FormatLogKey({1, ~0ULL, 3})), (LogKey{1, ~0ULL, 3}));
}

TEST_F(LogsApiTest, RefusesInAwsWords) {
  EXPECT_EQ(Refusal("CreateLogGroup", {}),
            "InvalidParameterException: 1 validation error detected: Value null at 'logGroupName' "
            "failed to satisfy constraint: Member must not be null");
  EXPECT_EQ(Refusal("CreateLogGroup", {{"logGroupName", "a b"}}),
            "InvalidParameterException: 1 validation error detected: Value 'a b' at 'logGroupName' "
            R"(failed to satisfy constraint: Member must satisfy regular expression pattern: )"
            R"([\.\-_/#A-Za-z0-9]+)");
  EXPECT_EQ(Refusal("FilterLogEvents", {{"logGroupName", "none"}}),
            "ResourceNotFoundException: The specified log group does not exist.");
  EXPECT_EQ(Refusal("DescribeLogGroups", {{"limit", 51}}),
            "InvalidParameterException: 1 validation error detected: Value '51' at 'limit' failed "
            "to satisfy constraint: Member must have value less than or equal to 50");
  EXPECT_EQ(Refusal("DescribeLogGroups", {{"nextToken", "?"}}),
            "InvalidParameterException: The specified nextToken is invalid.");
  Write(group_, stream_, {"x"});
  EXPECT_THAT(Refusal("PutRetentionPolicy", {{"logGroupName", group_}, {"retentionInDays", 8}}),
              ::testing::StartsWith("InvalidParameterException: 1 validation error detected"));
  EXPECT_EQ(Refusal("StartQuery", {}), "UnknownOperationException: ");
  EXPECT_EQ(AnswerLogsCall(*store_, place_, clock_, "DescribeLogGroups", "[").error().type,
            "SerializationException");
}

TEST_F(LogsApiTest, TakesNamesThatNoFileCouldHave) {
  const std::string long_stream(512, 's');
  Write("/a/b.c", ".." + long_stream.substr(2), {"one"});
  Write("/a/b.c", "x%2Fy", {"two"});
  Write("/a/b.c", "x/y", {"three"});
  EXPECT_EQ(
      Call("DescribeLogStreams", {{"logGroupName", "/a/b.c"}}).at("logStreams").as_array().size(),
      3u);
  Reopen();
  EXPECT_THAT(Texts(Call("FilterLogEvents", {{"logGroupName", "/a/b.c"}}), "events", "message"),
              ElementsAre("one\n", "two\n", "three\n"));
}

}  // namespace
}  // namespace kelvin::service
