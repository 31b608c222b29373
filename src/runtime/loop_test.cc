#include "runtime/loop.h"

#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fake_clock.h"
#include "runtime/test_support.h"

namespace kelvin::runtime {
namespace {

using ::testing::HasSubstr;
using Step = http::FakeConnector::Step;

// Answers with what it is told to.
class ScriptedHandler final : public RawHandler {
 public:
  using Call =
      std::function<std::expected<std::string, HandlerError>(std::string_view, const Context&)>;
  explicit ScriptedHandler(Call call) : call_(std::move(call)) {}
  std::expected<std::string, HandlerError> Invoke(std::string_view payload,
                                                  const Context& context) override {
    ++calls;
    return call_(payload, context);
  }
  int calls = 0;

 private:
  Call call_;
};

class LoopTest : public ::testing::Test {
 protected:
  Error Serve(RawHandler& handler) {
    Api api(connector_, {"127.0.0.1", 9001});
    const Logger log({.sink = &log_, .clock = &clock_});
    Loop loop({.api = api,
               .clock = clock_,
               .trace = trace_,
               .log = log,
               .function = function_,
               .busy = busy_});
    return loop.Serve(handler);
  }
  Error Serve(ScriptedHandler::Call call) {
    ScriptedHandler handler(std::move(call));
    return Serve(handler);
  }
  std::string sent() const {
    std::string all;
    for (const std::string& part : connector_.written()) all += part;
    return all;
  }
  static std::expected<std::string, HandlerError> Echo(std::string_view payload, const Context&) {
    return std::string(payload);
  }

  FakeClock clock_;
  http::FakeConnector connector_;
  LogLines log_;
  TraceVariable trace_;
  FunctionInfo function_{.name = "orders"};
  std::mutex busy_;
};

TEST_F(LoopTest, AnswersInvocationsOneAfterAnotherOnOneConnection) {
  connector_.AddConnection(
      {{Event("r-1", "1"), Accepted(), Event("r-2", "2"), Accepted(), Fatal()}});
  EXPECT_EQ(Serve(Echo).code, ErrorCode::kInternal);
  EXPECT_EQ(connector_.written().size(), 1U);
  EXPECT_THAT(sent(), HasSubstr("/invocation/r-1/response HTTP/1.1"));
  EXPECT_THAT(sent(), HasSubstr("/invocation/r-2/response HTTP/1.1"));
  EXPECT_THAT(sent(), HasSubstr("\r\n\r\n2"));
}

TEST_F(LoopTest, GivesTheHandlerItsContext) {
  connector_.AddConnection(
      {{Event("r-1", "{}", "Lambda-Runtime-Deadline-Ms: 1700000003000\r\n"), Accepted(), Fatal()}});
  Serve([&](std::string_view, const Context& context) {
    EXPECT_EQ(context.request_id(), "r-1");
    EXPECT_EQ(context.function().name, "orders");
    EXPECT_EQ(context.RemainingTime(), std::chrono::seconds(3));
    clock_.Advance(std::chrono::seconds(1));
    EXPECT_EQ(context.RemainingTime(), std::chrono::seconds(2));
    EXPECT_EQ(context.SteadyDeadline(), clock_.Now() + std::chrono::seconds(2));
    context.log().Info("seen");
    return std::string("{}");
  });
  EXPECT_THAT(log_.all(), HasSubstr("r-1 INFO seen\n"));
}

TEST_F(LoopTest, SetsTheTraceVariableForEachInvocation) {
  connector_.AddConnection({{Event("r-1", "{}", "Lambda-Runtime-Trace-Id: Root=1\r\n"), Accepted(),
                             Event("r-2", "{}"), Accepted(), Fatal()}});
  std::vector<std::string> seen;
  Serve([&](std::string_view, const Context&) {
    const char* value = std::getenv("_X_AMZN_TRACE_ID");
    seen.emplace_back(value != nullptr ? value : "unset");
    return std::string("{}");
  });
  EXPECT_THAT(seen, ::testing::ElementsAre("Root=1", "unset"));
}

TEST_F(LoopTest, PostsAHandlersErrorAndLivesOn) {
  connector_.AddConnection(
      {{Event("r-1", "{}"), Accepted(), Event("r-2", "2"), Accepted(), Fatal()}});
  Serve([](std::string_view payload, const Context&) -> std::expected<std::string, HandlerError> {
    if (payload == "2") return "2";
    return std::unexpected(HandlerError{"OrderRejected", "expected a total above 0, got -1"});
  });
  EXPECT_THAT(sent(), HasSubstr("/invocation/r-1/error HTTP/1.1"));
  EXPECT_THAT(sent(), HasSubstr("Lambda-Runtime-Function-Error-Type: Function.Error\r\n"));
  EXPECT_THAT(sent(), HasSubstr(R"({"errorMessage":"expected a total above 0, got -1",)"
                                R"("errorType":"OrderRejected","stackTrace":[")"));
  EXPECT_THAT(sent(), HasSubstr("loop_test.cc"));
  EXPECT_THAT(sent(), HasSubstr("/invocation/r-2/response"));
  EXPECT_THAT(log_.all(), HasSubstr("r-1 ERROR OrderRejected: expected a total above 0, got -1"));
}

TEST_F(LoopTest, PostsAnExceptionWithTypeMessageAndStackAndLivesOn) {
  connector_.AddConnection(
      {{Event("r-1", "{}"), Accepted(), Event("r-2", "{}"), Accepted(), Fatal()}});
  ScriptedHandler handler([](std::string_view, const Context& context) {
    if (context.request_id() == "r-1") throw std::out_of_range("no such order");
    return std::string("{}");
  });
  Serve(handler);
  EXPECT_EQ(handler.calls, 2);
  EXPECT_THAT(sent(), HasSubstr("Lambda-Runtime-Function-Error-Type: Runtime.UnhandledException"));
  EXPECT_THAT(sent(), HasSubstr(R"("errorMessage":"no such order","errorType":"std::out_of_range",)"
                                R"("stackTrace":["bootstrap+0x)"));
}

TEST_F(LoopTest, ReportsAResponseThatIsTooLargeAsAnError) {
  connector_.AddConnection({{Event("r-1", "{}"), Answer(413, "{}"), Accepted(), Event("r-2", "2"),
                             Accepted(), Fatal()}});
  Serve(Echo);
  EXPECT_THAT(sent(), HasSubstr("/invocation/r-1/error HTTP/1.1"));
  EXPECT_THAT(sent(),
              HasSubstr("Lambda-Runtime-Function-Error-Type: Function.ResponseSizeTooLarge\r\n"));
  EXPECT_THAT(sent(), HasSubstr("Response payload size exceeded maximum allowed payload size "
                                "(6291556 bytes)."));
  EXPECT_THAT(sent(), HasSubstr("/invocation/r-2/response"));
}

TEST_F(LoopTest, GoesOnAfterARefusedResponse) {
  for (const int status : {400, 403, 404}) {
    connector_.AddConnection(
        {{Event("r-1", "{}"), Answer(status, "why"), Event("r-2", "{}"), Accepted(), Fatal()}});
    ScriptedHandler handler(Echo);
    EXPECT_EQ(Serve(handler).code, ErrorCode::kInternal);
    EXPECT_EQ(handler.calls, 2) << status;
    EXPECT_THAT(log_.all(), HasSubstr("r-1 ERROR the response was not taken: the Runtime API "
                                      "answered " +
                                      std::to_string(status)));
  }
}

TEST_F(LoopTest, EndsWhenTheApiSaysAtAResponseThatItCannotGoOn) {
  connector_.AddConnection({{Event("r-1", "{}"), Fatal(), Event("r-2", "{}")}});
  ScriptedHandler handler(Echo);
  EXPECT_EQ(Serve(handler).code, ErrorCode::kInternal);
  EXPECT_EQ(handler.calls, 1);
}

TEST_F(LoopTest, AsksAgainOnANewConnectionWhenTheApiHangsUpMidAnswer) {
  connector_.AddConnection({{std::string("HTTP/1.1 200 OK\r\n"), std::string()}});
  connector_.AddConnection({{Event("r-1", "{}"), Accepted(), Fatal()}});
  ScriptedHandler handler(Echo);
  Serve(handler);
  EXPECT_EQ(handler.calls, 1);
}

TEST_F(LoopTest, EndsWithAClearMessageWhenTheApiStaysGone) {
  for (int i = 0; i < 6; ++i) connector_.RefuseConnection(Gone());
  const Error error = Serve(Echo);
  EXPECT_EQ(error.code, ErrorCode::kUnavailable);
  EXPECT_EQ(error.message,
            "asked the Runtime API 6 times for the next invocation and got none: "
            "connection refused");
  EXPECT_EQ(clock_.elapsed(), std::chrono::milliseconds(10 + 20 + 40 + 80 + 160));
}

TEST_F(LoopTest, CountsTheAttemptsAfreshAfterEachInvocation) {
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 5; ++i) connector_.RefuseConnection(Gone());
    connector_.AddConnection({{Event("r", "{}"), Accepted(), std::string()}});
  }
  connector_.AddConnection({{Fatal()}});
  ScriptedHandler handler(Echo);
  EXPECT_EQ(Serve(handler).code, ErrorCode::kInternal);
  EXPECT_EQ(handler.calls, 3);
}

TEST_F(LoopTest, HoldsTheBusyLockDuringAnInvocationOnly) {
  connector_.AddConnection({{Event("r-1", "{}"), Accepted(), Fatal()}});
  bool free_during = true;
  Serve([&](std::string_view, const Context&) {
    std::thread([&] { free_during = busy_.try_lock(); }).join();
    return std::string("{}");
  });
  EXPECT_FALSE(free_during);
  EXPECT_TRUE(busy_.try_lock());
  busy_.unlock();
}

// Whichever of the reads fails, the loop ends or goes on; it never answers an invocation that it
// did not get, nor runs one twice without having been given it twice.
TEST_F(LoopTest, SurvivesTheFailureOfAnyRead) {
  const std::vector<Step> good = {Event("r-1", "{}"), Accepted(), Event("r-2", "{}"), Accepted()};
  for (std::size_t failing = 0; failing < good.size(); ++failing) {
    std::vector<Step> reads(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(failing));
    reads.emplace_back(std::unexpected(Gone()));
    connector_.AddConnection({reads});
    connector_.AddConnection({{Fatal()}});
    ScriptedHandler handler(Echo);
    EXPECT_EQ(Serve(handler).code, ErrorCode::kInternal) << failing;
    EXPECT_EQ(handler.calls, failing < 1 ? 0 : failing < 3 ? 1 : 2) << failing;
  }
}

TEST_F(LoopTest, SurvivesTheFailureOfAnyWrite) {
  for (int failing = 1; failing <= 4; ++failing) {
    std::vector<Step> reads = {Event("r-1", "{}"), Accepted(), Event("r-2", "{}"), Accepted()};
    reads.resize(static_cast<std::size_t>(failing - 1));
    reads.emplace_back(std::string());
    connector_.AddConnection({reads, failing});
    connector_.AddConnection({{Fatal()}});
    EXPECT_EQ(Serve(Echo).code, ErrorCode::kInternal) << failing;
  }
}

}  // namespace
}  // namespace kelvin::runtime
