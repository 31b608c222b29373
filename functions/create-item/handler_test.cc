#include "handler.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace create_item {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using TimePoint = std::chrono::steady_clock::time_point;

constexpr kelvin::Uuid kId = kelvin::Uuid::FromRandomBits(1, 2);

struct Calls {
  std::vector<TimePoint> deadlines;
};

class FakeRepository final : public ItemRepository {
 public:
  using Answer = std::expected<kelvin::Uuid, kelvin::HandlerError>;
  FakeRepository(Calls& calls, Answer answer) : calls_(calls), answer_(std::move(answer)) {}
  Answer Create(TimePoint deadline) override {
    calls_.deadlines.push_back(deadline);
    return answer_;
  }

 private:
  Calls& calls_;
  Answer answer_;
};

class LineRecorder final : public kelvin::LogSink {
 public:
  void Write(std::string_view line) override { lines.emplace_back(line); }
  std::vector<std::string> lines;
};

std::unique_ptr<kelvin::RawHandler> NewHandler(Calls& calls, FakeRepository::Answer answer) {
  return kelvin::Adapt(Handler(std::make_unique<FakeRepository>(calls, std::move(answer))));
}

TEST(CreateItem, AnswersWithTheNewId) {
  Calls calls;
  const auto handler = NewHandler(calls, kId);
  EXPECT_EQ(handler->Invoke(R"({"name":"Ada"})", kelvin::Context()).value(),
            "\"" + kId.ToString() + "\"");
  EXPECT_EQ(calls.deadlines.size(), 1U);
}

TEST(CreateItem, LogsWhatCame) {
  Calls calls;
  LineRecorder recorder;
  const kelvin::Context context({}, {}, kelvin::Logger({.sink = &recorder}));
  ASSERT_TRUE(NewHandler(calls, kId)->Invoke(R"({ "b" : "2", "a" : "1" })", context).has_value());
  EXPECT_THAT(recorder.lines, ElementsAre(HasSubstr(R"({"a":"1","b":"2"})")));
}

TEST(CreateItem, LeavesTimeToAnswerBeforeLambdasDeadline) {
  Calls calls;
  const auto lambda_deadline = std::chrono::system_clock::now() + std::chrono::hours(1);
  const kelvin::Context context({.deadline = lambda_deadline});
  ASSERT_TRUE(NewHandler(calls, kId)->Invoke("{}", context).has_value());
  EXPECT_LT(calls.deadlines.at(0), context.SteadyDeadline());
}

TEST(CreateItem, WaitsForAsLongAsItTakesWithoutADeadline) {
  Calls calls;
  ASSERT_TRUE(NewHandler(calls, kId)->Invoke("{}", kelvin::Context()).has_value());
  EXPECT_THAT(calls.deadlines, ElementsAre(TimePoint::max()));
}

TEST(CreateItem, PassesOnWhatTheRepositorySays) {
  Calls calls;
  const auto handler = NewHandler(
      calls, std::unexpected(kelvin::HandlerError{"ResourceNotFoundException", "no such table"}));
  const auto result = handler->Invoke("{}", kelvin::Context());
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().type, "ResourceNotFoundException");
  EXPECT_EQ(result.error().message, "no such table");
}

TEST(CreateItem, CreatesNothingForAnEventThatIsNoDictionaryOfStrings) {
  Calls calls;
  const auto handler = NewHandler(calls, kId);
  for (const std::string_view event : {"[]", "7", R"({"a":1})", R"({"a":{}})", "{", ""}) {
    EXPECT_FALSE(handler->Invoke(event, kelvin::Context()).has_value()) << event;
  }
  EXPECT_TRUE(calls.deadlines.empty());
}

}  // namespace
}  // namespace create_item
