#include "service/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/scheduler_fixture.h"

namespace kelvin::service {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

using EnvironmentTest = SchedulerFixture;
using Kind = InvokeOutcome::Kind;

TEST_F(EnvironmentTest, GivesTheRuntimeItsAddress) {
  Configure();
  Submit();
  const auto& environment = Sandbox(0).spec.environment;
  EXPECT_THAT(environment, testing::Contains(std::pair<std::string, std::string>(
                               "AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001")));
}

TEST_F(EnvironmentTest, InitialisesWithAWholeCpuAndRunsWithAShare) {
  Configure();
  Submit();
  EXPECT_EQ(Sandbox(0).share, sandbox::CpuShare::kFull);
  Next(0);
  EXPECT_EQ(Sandbox(0).share, sandbox::CpuShare::kByMemory);
}

TEST_F(EnvironmentTest, WritesTheLogOfAColdAndAWarmInvoke) {
  Configure();
  const auto first = Submit();
  Sandbox(0).peak_memory_bytes = 94'500'000;
  clock_.Advance(423'980us);
  auto next = Next(0);
  clock_.Advance(2'370us);
  sandboxes_.Print(sandboxes_.ids()[0], "working\n");
  Respond(0, next, "{}");
  next = Next(0);
  const std::string& id = first.invocation->event->request_id;
  EXPECT_THAT(log(), HasSubstr("INIT_START Runtime Version: provided.al2023"));
  EXPECT_THAT(log(), EndsWith("START RequestId: " + id +
                              " Version: $LATEST\n"
                              "working\n"
                              "END RequestId: " +
                              id + "\nREPORT RequestId: " + id +
                              "\tDuration: 2.37 ms\tBilled Duration: 427 ms\tMemory Size: 128 MB\t"
                              "Max Memory Used: 91 MB\tInit Duration: 423.98 ms\t\n"));
  const auto second = Submit();
  clock_.Advance(1ms);
  Respond(0, next, "{}");
  Next(0);
  EXPECT_THAT(log(), EndsWith("\tDuration: 1.00 ms\tBilled Duration: 1 ms\tMemory Size: 128 MB\t"
                              "Max Memory Used: 91 MB\t\n"));
}

TEST_F(EnvironmentTest, CountsWorkAfterTheResponseButNotTheAskingForMore) {
  auto next = WarmUp();
  Submit();
  clock_.Advance(5ms);
  Respond(0, next, "{}");
  clock_.Advance(300us);
  next = Next(0);
  EXPECT_THAT(log(), HasSubstr("\tDuration: 5.00 ms\t"));
  Submit();
  clock_.Advance(5ms);
  Respond(0, next, "{}");
  clock_.Advance(20ms);
  Next(0);
  EXPECT_THAT(log(), HasSubstr("\tDuration: 25.00 ms\t"));
}

TEST_F(EnvironmentTest, TellsTheRuntimeItsDeadline) {
  config_.timeout_seconds = 7;
  const auto next = WarmUp();
  Submit();
  const auto deadline = std::chrono::duration_cast<std::chrono::milliseconds>(
      (clock_.WallNow() + 7s).time_since_epoch());
  EXPECT_EQ((*next)->headers.Get("Lambda-Runtime-Deadline-Ms"), std::to_string(deadline.count()));
}

TEST_F(EnvironmentTest, HoldsTheAnswerUntilTheLogIsCompleteForWhoAsksForIt) {
  const auto next = WarmUp();
  const auto invoke = Submit("f", LogTail::kYes);
  Respond(0, next, "1");
  EXPECT_FALSE(invoke.done());
  Next(0);
  EXPECT_THAT(invoke.result().log_tail, HasSubstr("REPORT RequestId: "));
  EXPECT_EQ(invoke.result().payload, "1");
}

TEST_F(EnvironmentTest, AnswersWithTheErrorThatTheRuntimePosted) {
  const auto next = WarmUp();
  const auto invoke = Submit();
  const std::string id((*next)->headers.Get("Lambda-Runtime-Aws-Request-Id"));
  Call(0, "POST", "invocation/" + id + "/error", R"({"errorType":"X"})");
  EXPECT_EQ(invoke.result().kind, Kind::kFunctionError);
  EXPECT_EQ(invoke.result().payload, R"({"errorType":"X"})");
}

TEST_F(EnvironmentTest, NamesInJsonTheErrorThatTheRuntimePosted) {
  config_.log_format = LogFormat::kJson;
  const auto next = WarmUp();
  Submit();
  const std::string id((*next)->headers.Get("Lambda-Runtime-Aws-Request-Id"));
  Call(0, "POST", "invocation/" + id + "/error", "{}",
       {{"Lambda-Runtime-Function-Error-Type", "Runtime.BadDay"}});
  Next(0);
  EXPECT_THAT(log(), HasSubstr(R"("status":"failure","errorType":"Runtime.BadDay")"));
  EXPECT_THAT(log(), Not(HasSubstr(R"("status":"success","errorType")")));
}

TEST_F(EnvironmentTest, AnswersAtOnceWhenTheProcessExits) {
  WarmUp();
  const auto invoke = Submit();
  Exit(0, {.code = 1});
  ASSERT_TRUE(invoke.done());
  EXPECT_EQ(invoke.result().kind, Kind::kFunctionError);
  EXPECT_EQ(invoke.result().payload,
            R"({"errorType":"Runtime.ExitError","errorMessage":"RequestId: )" +
                invoke.invocation->event->request_id +
                R"( Error: Runtime exited with error: exit status 1"})");
  EXPECT_THAT(log(), EndsWith("\tStatus: error\tError Type: Runtime.ExitError\n"));
}

TEST_F(EnvironmentTest, TakesWhatAProcessSaidBeforeItExited) {
  const auto next = WarmUp();
  const auto invoke = Submit();
  listeners_.unread = true;
  Exit(0, {.code = 1});
  Advance(1ms);
  EXPECT_FALSE(invoke.done());
  Respond(0, next, "\"heard\"");
  listeners_.unread = false;
  Advance(1ms);
  EXPECT_EQ(invoke.result().payload, "\"heard\"");
  EXPECT_THAT(log(), EndsWith("\tStatus: error\tError Type: Runtime.ExitError\n"));
}

TEST_F(EnvironmentTest, StartsANewProcessInTheSameSandboxAfterACrash) {
  WarmUp();
  Submit();
  Exit(0, {.code = 1});
  const auto invoke = Submit();
  EXPECT_EQ(sandboxes_.creates(), 1);
  EXPECT_EQ(Sandbox(0).Count("start"), 2);
  Respond(0, Next(0), "\"back\"");
  EXPECT_EQ(invoke.result().payload, "\"back\"");
}

TEST_F(EnvironmentTest, NamesTheMemoryLimit) {
  WarmUp();
  const auto invoke = Submit();
  Exit(0, {.signaled = true, .code = 9, .out_of_memory = true});
  EXPECT_THAT(invoke.result().payload,
              AllOf(HasSubstr("Runtime.OutOfMemory"), HasSubstr("signal: killed")));
  EXPECT_THAT(log(), EndsWith("\tStatus: error\tError Type: Runtime.OutOfMemory\n"));
}

TEST_F(EnvironmentTest, KillsAnInvokeAtItsDeadline) {
  WarmUp();
  const auto invoke = Submit();
  Advance(2999ms);
  EXPECT_FALSE(invoke.done());
  Advance(50ms);
  ASSERT_TRUE(invoke.done());
  EXPECT_EQ(invoke.result().payload,
            R"({"errorType":"Sandbox.Timedout","errorMessage":"RequestId: )" +
                invoke.invocation->event->request_id +
                R"( Error: Task timed out after 3.00 seconds"})");
  EXPECT_EQ(Sandbox(0).Count("kill"), 1);
  EXPECT_THAT(log(), HasSubstr("\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\t"));
  EXPECT_THAT(log(), EndsWith("\tStatus: timeout\n"));
}

TEST_F(EnvironmentTest, WaitsForTheKilledProcessBeforeItStartsAnother) {
  WarmUp();
  sandboxes_.dies_when_killed = false;
  Submit();
  Advance(4s);
  Submit();
  EXPECT_EQ(Sandbox(0).Count("start"), 1);
  Exit(0, {.signaled = true, .code = 9});
  EXPECT_EQ(Sandbox(0).Count("start"), 2);
}

TEST_F(EnvironmentTest, TriesAnInitThatTimedOutAgainWithinTheInvoke) {
  Configure();
  const auto invoke = Submit();
  Advance(10s);
  EXPECT_THAT(log(), EndsWith("INIT_REPORT Init Duration: 10000.00 ms\tPhase: init\t"
                              "Status: timeout\n"));
  EXPECT_EQ(Sandbox(0).Count("start"), 2);
  EXPECT_FALSE(invoke.done());
  clock_.Advance(100ms);
  Respond(0, Next(0), "1");
  Next(0);
  EXPECT_EQ(invoke.result().payload, "1");
  EXPECT_THAT(log(), HasSubstr("\tDuration: 100.00 ms\tBilled Duration: 100 ms\t"));
  EXPECT_THAT(log(), Not(HasSubstr("\tInit Duration")));
}

TEST_F(EnvironmentTest, AnswersWithTheErrorOfAnInitThatFailsTwice) {
  Configure();
  const auto invoke = Submit();
  for (int i = 0; i < 2; ++i) {
    EXPECT_FALSE(invoke.done());
    Call(0, "POST", "init/error", R"({"errorType":"No"})",
         {{"Lambda-Runtime-Function-Error-Type", "Runtime.Nope"}});
  }
  ASSERT_TRUE(invoke.done());
  EXPECT_EQ(invoke.result().payload, R"({"errorType":"No"})");
  EXPECT_THAT(log(), HasSubstr("Phase: init\tStatus: error\tError Type: Runtime.Nope\n"));
  EXPECT_THAT(log(), HasSubstr("Phase: invoke\tStatus: error\tError Type: Runtime.Nope\n"));
  EXPECT_THAT(log(), EndsWith("\tStatus: error\tError Type: Runtime.Nope\n"));
}

TEST_F(EnvironmentTest, KeepsWhatTheRuntimeSaidWhenItExitsRightAfter) {
  Configure();
  const auto invoke = Submit();
  for (int i = 0; i < 2; ++i) {
    sandboxes_.dies_when_killed = false;
    Call(0, "POST", "init/error", R"({"errorType":"No"})");
    Exit(0, {.code = 1});
  }
  EXPECT_EQ(invoke.result().payload, R"({"errorType":"No"})");
}

TEST_F(EnvironmentTest, CannotStartWithoutABootstrap) {
  Configure();
  sandboxes_.FailStart(1, {ErrorCode::kNotFound, "no bootstrap"});
  sandboxes_.FailStart(2, {ErrorCode::kNotFound, "no bootstrap"});
  const auto invoke = Submit();
  ASSERT_TRUE(invoke.done());
  EXPECT_THAT(invoke.result().payload, HasSubstr("Runtime.InvalidEntrypoint"));
  EXPECT_THAT(logged_, HasSubstr("no bootstrap"));
}

TEST_F(EnvironmentTest, StartsAgainWhatDiedBetweenInvokes) {
  WarmUp();
  Exit(0, {.code = 0});
  const auto invoke = Submit();
  EXPECT_EQ(Sandbox(0).Count("start"), 2);
  Respond(0, Next(0), "1");
  EXPECT_EQ(invoke.result().payload, "1");
}

TEST_F(EnvironmentTest, FailsAnAnswerThatIsTooLarge) {
  const auto next = WarmUp();
  const auto invoke = Submit();
  http::Request head;
  head.method = "POST";
  head.target =
      "/2018-06-01/runtime/invocation/" + invoke.invocation->event->request_id + "/response";
  EXPECT_EQ(listeners_.api(0).HandleTooLarge(head).status, 413);
  Poll();
  EXPECT_EQ(invoke.result().payload,
            R"({"errorType":"Function.ResponseSizeTooLarge","errorMessage":)"
            R"("Response payload size exceeded maximum allowed payload size (6291556 bytes)."})");
}

// Of a runtime that hangs up in the middle of a response.
class BrokenBody final : public http::BodySource {
 public:
  boost::asio::awaitable<std::expected<std::string, Error>> Next() override {
    co_return std::unexpected(Error{ErrorCode::kUnavailable, "hung up"});
  }
  const http::Headers& trailers() const override { return fields_; }

 private:
  http::Headers fields_;
};

class BrokenStream : public EnvironmentTest {
 protected:
  Invoke SubmitAndBreak() {
    WarmUp();
    const auto invoke = Submit();
    http::Request head{
        "POST",
        "/2018-06-01/runtime/invocation/" + invoke.invocation->event->request_id + "/response",
        {{"Lambda-Runtime-Function-Response-Mode", "streaming"}},
        {}};
    boost::asio::co_spawn(context_, listeners_.api(0).HandleStream(std::move(head), body_),
                          boost::asio::detached);
    Poll();
    return invoke;
  }
  BrokenBody body_;
};

TEST_F(BrokenStream, SaysThatTheProcessExitedHoweverLateThatIsSeen) {
  const auto invoke = SubmitAndBreak();
  Advance(2s);
  EXPECT_FALSE(invoke.done());
  Exit(0, {.code = 3});
  EXPECT_THAT(invoke.result().payload, HasSubstr("Runtime.ExitError"));
}

TEST_F(BrokenStream, SaysThatTheResponseBrokeOffWhenTheRuntimeLivesOn) {
  const auto invoke = SubmitAndBreak();
  Next(0);
  ASSERT_TRUE(invoke.done());
  EXPECT_THAT(invoke.result().payload, HasSubstr("Runtime.TruncatedResponse"));
}

TEST_F(EnvironmentTest, LogsWhatItPrintsBeforeItsReport) {
  const auto next = WarmUp();
  const auto invoke = Submit("f", LogTail::kYes);
  sandboxes_.Print(sandboxes_.ids()[0], "no newline at the end");
  Respond(0, next, "1");
  Next(0);
  EXPECT_THAT(invoke.result().log_tail, HasSubstr("no newline at the end\nEND RequestId"));
}

TEST_F(EnvironmentTest, ShowsAFunctionItsManagedRuntime) {
  options_.runtimes["nodejs20.x"] = {.runtime = "/runtimes/node", .language = "/node"};
  config_.runtime = "nodejs20.x";
  Configure();
  Submit();
  EXPECT_EQ(Sandbox(0).spec.runtime, "/runtimes/node");
  EXPECT_EQ(Sandbox(0).spec.language, "/node");
}

}  // namespace
}  // namespace kelvin::service
