#include "runtime/entry.h"

#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fake_clock.h"
#include "runtime/test_support.h"

namespace kelvin::runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::string Shout(std::string_view payload) {
  return std::string(payload) + "!";
}

class EntryTest : public ::testing::Test {
 protected:
  template <typename Factory>
  int Run(Factory factory) {
    variables_.push_back(nullptr);
    const Host host{.environment = Environment(variables_.data()),
                    .connector = connector_,
                    .clock = clock_,
                    .log = &log_,
                    .messages = &messages_};
    return RunIn(host, [&](const InitContext& init) { return detail::MakeHandler(factory, init); },
                 {});
  }
  int RunShout() {
    return Run([] { return Shout; });
  }

  std::vector<const char*> variables_ = {"AWS_LAMBDA_RUNTIME_API=127.0.0.1:9001"};
  FakeClock clock_;
  http::FakeConnector connector_;
  LogLines log_;
  LogLines messages_;
};

TEST_F(EntryTest, TellsHowToRunItWithoutALambda) {
  variables_.clear();
  EXPECT_EQ(RunShout(), 1);
  EXPECT_THAT(messages_.all(), HasSubstr("AWS_LAMBDA_RUNTIME_API, which is not set"));
  EXPECT_THAT(messages_.all(), HasSubstr("kelvin serve"));
}

TEST_F(EntryTest, TakesAnEmptyAddressForNone) {
  variables_ = {"AWS_LAMBDA_RUNTIME_API="};
  EXPECT_EQ(RunShout(), 1);
  EXPECT_THAT(messages_.all(), HasSubstr("which is not set"));
}

TEST_F(EntryTest, SaysWhatIsWrongWithABadAddress) {
  variables_ = {"AWS_LAMBDA_RUNTIME_API=http://127.0.0.1"};
  EXPECT_EQ(RunShout(), 1);
  EXPECT_THAT(messages_.all(), StartsWith("AWS_LAMBDA_RUNTIME_API: expected host:port"));
}

TEST_F(EntryTest, ServesUntilTheApiEndsIt) {
  connector_.AddConnection({{Event("r-1", "hey"), Accepted(), Fatal()}});
  EXPECT_EQ(RunShout(), 1);
  EXPECT_THAT(connector_.written()[0], HasSubstr("\r\n\r\nhey!"));
  EXPECT_THAT(log_.all(), HasSubstr("FATAL the Runtime API answered 500"));
}

TEST_F(EntryTest, MakesTheHandlerBeforeItAsksForTheFirstInvocation) {
  variables_.push_back("GREETING=Hello");
  connector_.AddConnection({{Event("r-1", R"("Ada")"), Accepted(), Fatal()}});
  Run([&](const InitContext& init) {
    EXPECT_THAT(connector_.written(), IsEmpty());
    return [greeting = std::string(init.environment().Get("GREETING").value_or(""))](
               const std::string& name) { return greeting + " " + name; };
  });
  EXPECT_THAT(connector_.written()[0], HasSubstr(R"("Hello Ada")"));
}

TEST_F(EntryTest, TellsTheFactoryAboutTheFunction) {
  variables_.insert(variables_.end(),
                    {"AWS_LAMBDA_FUNCTION_NAME=orders", "AWS_LAMBDA_FUNCTION_VERSION=7",
                     "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256", "AWS_LAMBDA_LOG_GROUP_NAME=/aws/orders",
                     "AWS_LAMBDA_LOG_STREAM_NAME=2026/01/01/x"});
  connector_.AddConnection({{Fatal()}});
  FunctionInfo seen;
  Run([&](const InitContext& init) {
    seen = init.function();
    return Shout;
  });
  EXPECT_EQ(seen.name, "orders");
  EXPECT_EQ(seen.version, "7");
  EXPECT_EQ(seen.memory_mb, 256);
  EXPECT_EQ(seen.log_group, "/aws/orders");
  EXPECT_EQ(seen.log_stream, "2026/01/01/x");
}

using Shouter = decltype(&Shout);

TEST_F(EntryTest, PostsAFactorysErrorAsTheInitErrorAndEnds) {
  connector_.AddConnection({{Accepted()}});
  EXPECT_EQ(Run([]() -> std::expected<Shouter, HandlerError> {
              return std::unexpected(
                  HandlerError{"Function.BadConfiguration", "expected TABLE_NAME, it is not set"});
            }),
            1);
  const std::string& sent = connector_.written()[0];
  EXPECT_THAT(sent, StartsWith("POST /2018-06-01/runtime/init/error "));
  EXPECT_THAT(sent, HasSubstr("Lambda-Runtime-Function-Error-Type: Function.BadConfiguration\r\n"));
  EXPECT_THAT(sent, HasSubstr(R"("errorMessage":"expected TABLE_NAME, it is not set")"));
  EXPECT_THAT(sent, HasSubstr("entry_test.cc"));
  EXPECT_THAT(log_.all(), HasSubstr("FATAL Function.BadConfiguration: expected TABLE_NAME"));
}

TEST_F(EntryTest, PostsAFactorysExceptionWithItsStack) {
  connector_.AddConnection({{Accepted()}});
  EXPECT_EQ(Run([]() -> Shouter { throw std::runtime_error("no luck"); }), 1);
  const std::string& sent = connector_.written()[0];
  EXPECT_THAT(sent, HasSubstr("Lambda-Runtime-Function-Error-Type: Runtime.InitError\r\n"));
  EXPECT_THAT(sent, HasSubstr(R"({"errorMessage":"no luck","errorType":"std::runtime_error",)"
                              R"("stackTrace":["bootstrap+0x)"));
}

TEST_F(EntryTest, EndsEvenWhenTheInitErrorCannotBePosted) {
  connector_.RefuseConnection(Gone());
  EXPECT_EQ(Run([]() -> std::expected<Shouter, std::string> { return std::unexpected("broken"); }),
            1);
  EXPECT_THAT(log_.all(), HasSubstr("FATAL Function.Error: broken"));
  EXPECT_THAT(log_.all(), HasSubstr("the init error was not taken: connection refused"));
}

TEST_F(EntryTest, LogsAsTheFunctionsConfigurationSays) {
  variables_.insert(variables_.end(), {"AWS_LAMBDA_LOG_FORMAT=JSON", "AWS_LAMBDA_LOG_LEVEL=WARN"});
  connector_.AddConnection({{Event("r-1", "{}"), Accepted(), Fatal()}});
  Run([] {
    return [](std::string_view, const Context& context) {
      context.log().Info("not this");
      context.log().Warn("but this");
      return std::string("{}");
    };
  });
  ASSERT_EQ(log_.lines.size(), 2U);
  EXPECT_EQ(log_.lines[0],
            R"({"timestamp":"2023-11-14T22:13:20.000Z","level":"WARN","message":"but this",)"
            R"("requestId":"r-1"})"
            "\n");
}

TEST_F(EntryTest, TakesALevelItDoesNotKnowForInfo) {
  variables_.push_back("AWS_LAMBDA_LOG_LEVEL=LOUD");
  connector_.AddConnection({{Fatal()}});
  Run([](const InitContext& init) {
    EXPECT_TRUE(init.log().enabled(LogLevel::kInfo));
    EXPECT_FALSE(init.log().enabled(LogLevel::kDebug));
    return Shout;
  });
}

}  // namespace
}  // namespace kelvin::runtime
