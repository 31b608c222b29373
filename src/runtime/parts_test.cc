// The small parts: environment, UUIDs, logger, error documents, trace variable, stacks, shutdown.
#include <cstdlib>
#include <functional>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "base/fake_clock.h"
#include "kelvin/kelvin.h"
#include "runtime/error_document.h"
#include "runtime/exception.h"
#include "runtime/json_text.h"
#include "runtime/shutdown.h"
#include "runtime/test_support.h"
#include "runtime/throw_trace.h"
#include "runtime/trace_variable.h"

namespace kelvin::runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

TEST(Environment, FindsAVariableByItsWholeName) {
  const char* block[] = {"TABLE=short", "TABLE_NAME=items=1", "EMPTY=", "BROKEN", nullptr};
  const Environment environment(block);
  EXPECT_EQ(environment.Get("TABLE_NAME"), "items=1");
  EXPECT_EQ(environment.Get("TABLE"), "short");
  EXPECT_EQ(environment.Get("EMPTY"), "");
  EXPECT_EQ(environment.Get("BROKEN"), std::nullopt);
  EXPECT_EQ(environment.Get("TABLE_NAM"), std::nullopt);
  EXPECT_EQ(environment.Get(""), std::nullopt);
  EXPECT_EQ(Environment().Get("TABLE"), std::nullopt);
}

TEST(Uuid, IsVersionFourInLowerCase) {
  EXPECT_EQ(Uuid::FromRandomBits(~0ULL, ~0ULL).ToString(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
  EXPECT_EQ(Uuid::FromRandomBits(0, 0).ToString(), "00000000-0000-4000-8000-000000000000");
  EXPECT_NE(Uuid::Random(), Uuid::Random());
}

TEST(Uuid, ReadsBackWhatItWrites) {
  const Uuid uuid = Uuid::Random();
  EXPECT_EQ(Uuid::Parse(uuid.ToString()), uuid);
}

TEST(Uuid, RefusesWhatIsNone) {
  for (const std::string_view text :
       {"", "2f1d5c1e-7c1b-4d8e-9a55-0c3f6f1f7e1", "2f1d5c1e-7c1b-4d8e-9a55-0c3f6f1f7e1g",
        "2f1d5c1e07c1b-4d8e-9a55-0c3f6f1f7e10", "2f1d5c1e-7c1b-4d8e-9a55-0c3f6f1f7e100"}) {
    const auto parsed = Uuid::Parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error(), HasSubstr("got '" + std::string(text) + "'"));
  }
}

TEST(Context, KnowsNoDeadlineWhenLambdaGivesNone) {
  const Context context;
  EXPECT_EQ(context.RemainingTime(), std::chrono::milliseconds::max());
  EXPECT_EQ(context.SteadyDeadline(), std::chrono::steady_clock::time_point::max());
}

TEST(Context, HasNoTimeLeftAfterTheDeadline) {
  const FakeClock clock;
  const Context context({.deadline = clock.WallNow() - std::chrono::seconds(5)}, {}, {}, &clock);
  EXPECT_EQ(context.RemainingTime(), std::chrono::milliseconds(0));
  EXPECT_EQ(context.SteadyDeadline(), clock.Now());
}

class LoggerTest : public ::testing::Test {
 protected:
  Logger Make(LogFormat format, LogLevel level = LogLevel::kInfo) {
    return Logger({.format = format, .level = level, .sink = &lines_, .clock = &clock_});
  }
  FakeClock clock_;
  LogLines lines_;
};

TEST_F(LoggerTest, WritesTextWithTimeRequestAndLevel) {
  Make(LogFormat::kText).ForRequest("r-1").Info("{} of {}", 1, 2);
  Make(LogFormat::kText).Error("plain");
  EXPECT_EQ(lines_.lines[0], "2023-11-14T22:13:20.000Z r-1 INFO 1 of 2\n");
  EXPECT_EQ(lines_.lines[1], "2023-11-14T22:13:20.000Z ERROR plain\n");
}

TEST_F(LoggerTest, WritesJsonWithLambdasMembers) {
  Make(LogFormat::kJson).ForRequest("r-1").Warn("say \"{}\"\n", "hi");
  EXPECT_EQ(lines_.lines[0],
            R"({"timestamp":"2023-11-14T22:13:20.000Z","level":"WARN","message":"say \"hi\"\n",)"
            R"("requestId":"r-1"})"
            "\n");
}

TEST_F(LoggerTest, KeepsAMessageOfSeveralLinesOneEvent) {
  Make(LogFormat::kText).WriteMessage(LogLevel::kInfo, "one\ntwo");
  EXPECT_THAT(lines_.lines[0], ::testing::EndsWith("INFO one\rtwo\n"));
}

TEST_F(LoggerTest, LeavesOutWhatIsBelowTheLevel) {
  const Logger log = Make(LogFormat::kText, LogLevel::kWarn);
  log.Trace("no");
  log.Debug("no");
  log.Info("no");
  EXPECT_THAT(lines_.lines, IsEmpty());
  log.Write(LogLevel::kFatal, "yes");
  EXPECT_EQ(lines_.lines.size(), 1U);
}

TEST(JsonText, StaysValidWhateverTheBytes) {
  std::string out;
  AppendJsonString(out, "a\"\\\b\x1f\xC3\xA9\xFF\xED\xA0\x80\xF0\x9F\x98\x80\xE2\x82");
  EXPECT_EQ(out,
            "\"a\\\"\\\\\\u0008\\u001f\xC3\xA9\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
            "\xF0\x9F\x98\x80\xEF\xBF\xBD\xEF\xBF\xBD\"");
  EXPECT_TRUE(json::Parse(out, {}));
}

TEST(ErrorDocument, TakesTheErrorsTypeForTheHeaderWhereLambdaWould) {
  const std::pair<const char*, const char*> types[] = {
      {"Function.OrderRejected", "Function.OrderRejected"},
      {"Runtime.UnmarshalError", "Runtime.UnmarshalError"},
      {"Function.orderRejected", "Function.Error"},
      {"Function.Order2", "Function.Error"},
      {"Function.X", "Function.Error"},
      {"Other.Thing", "Function.Error"},
      {"OrderRejected", "Function.Error"},
      {"", "Function.Error"}};
  for (const auto& [type, header] : types) {
    EXPECT_EQ(MakeErrorDocument({type, "m"}, Origin::kHandlerError).error_type, header) << type;
  }
}

TEST(ErrorDocument, HoldsTypeMessageAndStack) {
  EXPECT_EQ(MakeErrorDocument({"T", "a \"b\"", {"f", "g"}, {}}, Origin::kHandlerException).body,
            R"({"errorMessage":"a \"b\"","errorType":"T","stackTrace":["f","g"]})");
  EXPECT_EQ(MakeErrorDocument({"", "m", {}, {}}, Origin::kInit).body,
            R"({"errorMessage":"m","errorType":"Runtime.InitError","stackTrace":[]})");
}

HandlerError Described(const std::function<void()>& thrower) {
  try {
    thrower();
  } catch (...) {
    return DescribeCurrentException();
  }
  return {};
}

TEST(Exception, IsDescribedByTypeMessageAndWhereItWasThrown) {
  const HandlerError error = Described([] { throw std::invalid_argument("bad"); });
  EXPECT_EQ(error.type, "std::invalid_argument");
  EXPECT_EQ(error.message, "bad");
  ASSERT_FALSE(error.stack_trace.empty());
  EXPECT_THAT(error.stack_trace.front(), StartsWith("bootstrap+0x"));
}

TEST(Exception, KeepsTheTypeOfAHandlerErrorThatIsThrown) {
  const HandlerError error = Described([] { throw HandlerError{"Function.NoItems", "none"}; });
  EXPECT_EQ(error.type, "Function.NoItems");
  EXPECT_THAT(error.stack_trace, Not(IsEmpty()));
}

TEST(Exception, MayBeAnything) {
  EXPECT_EQ(Described([] { throw std::string("text"); }).message, "text");
  EXPECT_EQ(Described([] { throw "literal"; }).message, "literal");
  const HandlerError number = Described([] { throw 7; });
  EXPECT_EQ(number.type, "int");
  EXPECT_EQ(number.message, "an exception that is no std::exception");
}

TEST(Exception, KeepsTheStackOfTheFirstThrowWhenRethrown) {
  const HandlerError error = Described([] {
    try {
      throw std::runtime_error("first");
    } catch (const std::exception&) {
      throw;
    }
  });
  EXPECT_THAT(error.stack_trace, Not(IsEmpty()));
}

TEST(Exception, HasNoStackThatIsAnothers) {
  const HandlerError error = Described([] {
    try {
      throw std::runtime_error("first");
    } catch (const std::exception&) {
      (void)Described([] { throw 2; });
      throw;
    }
  });
  EXPECT_EQ(error.message, "first");
  EXPECT_THAT(error.stack_trace, IsEmpty());
  EXPECT_THAT(FramesOfThrow(nullptr), IsEmpty());
}

TEST(TraceVariable, FollowsTheInvocations) {
  const auto value = [] {
    const char* text = std::getenv("_X_AMZN_TRACE_ID");
    return std::string(text != nullptr ? text : "unset");
  };
  {
    TraceVariable trace;
    trace.Set("Root=1");
    EXPECT_EQ(value(), "Root=1");
    const char* held = std::getenv("_X_AMZN_TRACE_ID");
    trace.Set("Root=1-longer-than-before-and-on-the-heap");
    EXPECT_EQ(value(), "Root=1-longer-than-before-and-on-the-heap");
    EXPECT_STREQ(held, "Root=1");
    trace.Set("");
    EXPECT_EQ(value(), "unset");
    trace.Set("Root=2");
    trace.Set("Root=2");
    EXPECT_EQ(value(), "Root=2");
  }
  EXPECT_EQ(value(), "unset");
}

// Forked by the death test, so that the signal ends another process.
class ShutdownDeathTest : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(ShutdownDeathTest, RunsTheCallbackOnSigtermAndExitsWithZero) {
  EXPECT_EXIT(
      {
        ShutdownHook hook([] { (void)!::write(STDERR_FILENO, "flushed", 7); });
        ::kill(::getpid(), SIGTERM);
        for (;;) ::pause();
      },
      ::testing::ExitedWithCode(0), "flushed");
}

TEST_F(ShutdownDeathTest, WaitsForTheInvocationThatRuns) {
  EXPECT_EXIT(
      {
        bool finished = false;
        ShutdownHook hook([&] { (void)!::write(STDERR_FILENO, finished ? "after" : "during", 6); });
        hook.busy().lock();
        ::kill(::getpid(), SIGTERM);
        finished = true;
        hook.busy().unlock();
        for (;;) ::pause();
      },
      ::testing::ExitedWithCode(0), "after");
}

TEST_F(ShutdownDeathTest, LeavesSigtermAloneWithoutACallback) {
  EXPECT_EXIT(
      {
        ShutdownHook hook({});
        ::kill(::getpid(), SIGTERM);
        for (;;) ::pause();
      },
      ::testing::KilledBySignal(SIGTERM), "");
}

TEST(Shutdown, EndsItsThreadWithTheObject) {
  bool called = false;
  {
    ShutdownHook hook([&] { called = true; });
  }
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace kelvin::runtime
