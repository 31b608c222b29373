#include "cli/logs_command.h"

#include <deque>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/time_format.h"
#include "cli/exit_code.h"
#include "cli/fake_host.h"

namespace kelvin::cli {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;

// Lambda and CloudWatch Logs: the answers to FilterLogEvents come one after another.
class FakeLogs final : public deploy::Api {
 public:
  using Answer = std::expected<std::string, Error>;
  Answer configuration = R"({"LoggingConfig":{"LogGroup":"/my/group"}})";
  std::deque<Answer> pages;
  std::vector<json::object> asked;

  Answer Send(const deploy::ApiCall& call) override {
    if (call.service == "lambda") return configuration;
    asked.push_back(json::parse(call.body).as_object());
    if (pages.empty()) return R"({"events":[]})";
    Answer answer = std::move(pages.front());
    pages.pop_front();
    return answer;
  }
};

std::unexpected<Error> Missing() {
  return std::unexpected(
      Error{ErrorCode::kNotFound, "there is no such thing", "ResourceNotFoundException"});
}

class LogsCommandTest : public ::testing::Test {
 protected:
  int Print(int looks = 1) {
    return PrintLogs(
        api_, options_, std::chrono::milliseconds(100),
        [&] { return static_cast<int>(api_.asked.size()) >= looks && looks_end_; }, host_.host());
  }
  FakeHost host_;
  FakeLogs api_;
  LogsOptions options_{.function = "f", .filter = {}, .since = {}, .follow = false, .raw = false};
  bool looks_end_ = false;
};

TEST_F(LogsCommandTest, PrintsEveryPage) {
  options_.since = Clock::WallTime{std::chrono::milliseconds(5)};
  options_.filter = "ERROR";
  api_.pages = {
      R"({"events":[{"timestamp":1500,"message":"one\n","eventId":"1"}],"nextToken":"t"})",
      R"({"events":[{"timestamp":2500,"message":"two","eventId":"2"}]})"};
  EXPECT_EQ(Print(), kExitOk);
  EXPECT_EQ(host_.out, "1970-01-01T00:00:01.500Z one\n1970-01-01T00:00:02.500Z two\n");
  ASSERT_EQ(api_.asked.size(), 2u);
  EXPECT_EQ(api_.asked[0].at("logGroupName"), "/my/group");
  EXPECT_EQ(api_.asked[0].at("startTime"), 5);
  EXPECT_EQ(api_.asked[0].at("filterPattern"), "ERROR");
  EXPECT_EQ(api_.asked[1].at("nextToken"), "t");
}

TEST_F(LogsCommandTest, FollowsFromTheNewestWithoutRepeatingIt) {
  options_.follow = true;
  options_.raw = true;
  looks_end_ = true;
  api_.pages = {
      R"({"events":[{"timestamp":1,"message":"a","eventId":"1"},{"timestamp":2,"message":"b","eventId":"2"}]})",
      R"({"events":[{"timestamp":2,"message":"b","eventId":"2"},{"timestamp":2,"message":"c","eventId":"3"}]})",
      R"({"events":[{"timestamp":2,"message":"b","eventId":"2"},{"timestamp":2,"message":"c","eventId":"3"},{"timestamp":4,"message":"d","eventId":"4"}]})"};
  EXPECT_EQ(Print(3), kExitOk);
  EXPECT_EQ(host_.out, "a\nb\nc\nd\n");
  EXPECT_EQ(api_.asked.at(1).at("startTime"), 2);
}

TEST_F(LogsCommandTest, WaitsForTheFirstLine) {
  options_.follow = true;
  options_.raw = true;
  looks_end_ = true;
  api_.pages = {Missing(), Missing(),
                R"({"events":[{"timestamp":1,"message":"a","eventId":"1"}]})"};
  EXPECT_EQ(Print(3), kExitOk);
  EXPECT_EQ(host_.out, "a\n");
  EXPECT_EQ(host_.err, "kelvin: f has logged nothing yet; waiting\n");
}

TEST_F(LogsCommandTest, FindsTheLogOfAFunctionThatIsGone) {
  api_.configuration = Missing();
  options_.raw = true;
  api_.pages = {R"({"events":[{"timestamp":1,"message":"a","eventId":"1"}]})"};
  EXPECT_EQ(Print(), kExitOk);
  EXPECT_EQ(api_.asked[0].at("logGroupName"), "/aws/lambda/f");
  EXPECT_EQ(host_.out, "a\n");
}

TEST_F(LogsCommandTest, SaysWhatIsMissing) {
  api_.configuration = Missing();
  api_.pages = {Missing()};
  options_.follow = true;
  EXPECT_EQ(Print(), kExitUsage);
  EXPECT_THAT(host_.err, HasSubstr("there is no such thing"));
}

TEST_F(LogsCommandTest, TellsAWrongPatternFromAnEndpointThatIsGone) {
  api_.pages = {std::unexpected(
      Error{ErrorCode::kInvalidArgument, "Invalid filter pattern", "InvalidParameterException"})};
  EXPECT_EQ(Print(), kExitUsage);
  api_.pages = {std::unexpected(Error{ErrorCode::kUnavailable, "nobody listens"})};
  EXPECT_EQ(Print(), kExitEnvironment);
  EXPECT_THAT(host_.err, HasSubstr("kelvin serve"));
  api_.pages = {"[]"};
  EXPECT_EQ(Print(), kExitEnvironment);
}

TEST_F(LogsCommandTest, ReadsHowFarBackToGo) {
  const auto since = [this](std::string_view text) {
    const auto at = ParseSince(text, host_.clock.WallNow());
    return at ? FormatIso8601(*at) : "none";
  };
  EXPECT_EQ(since("0s"), "2023-11-14T22:13:20.000Z");
  EXPECT_EQ(since("20s"), "2023-11-14T22:13:00.000Z");
  EXPECT_EQ(since("13m"), "2023-11-14T22:00:20.000Z");
  EXPECT_EQ(since("22h"), "2023-11-14T00:13:20.000Z");
  EXPECT_EQ(since("1d"), "2023-11-13T22:13:20.000Z");
  EXPECT_EQ(since("1w"), "2023-11-07T22:13:20.000Z");
  EXPECT_EQ(since("2026-08-22T10:15:30Z"), "2026-08-22T10:15:30.000Z");
  EXPECT_EQ(since("2026-08-22T10:15"), "2026-08-22T10:15:00.000Z");
  EXPECT_EQ(since("2026-08-22"), "2026-08-22T00:00:00.000Z");
  for (const char* text : {"", "5", "5y", "-5m", "m", "yesterday", "2026-13-41"}) {
    EXPECT_EQ(since(text), "none") << text;
  }
  EXPECT_FALSE(ParseLogs({"f", "--since", "soon"}, host_.host()).has_value());
}

}  // namespace
}  // namespace kelvin::cli
