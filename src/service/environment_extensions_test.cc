#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/scheduler_fixture.h"

namespace kelvin::service {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

// A function with a layer that has an extension, "ext"; the test plays that too.
class EnvironmentExtensionsTest : public SchedulerFixture {
 protected:
  EnvironmentExtensionsTest() {
    layers_ = folder_.path() / "layers";
    std::filesystem::create_directories(layers_ / "extensions" / "a-folder");
    EXPECT_TRUE(WriteFileAtomically(layers_ / "extensions" / "ext", "", 0755));
    sandboxes_.dies_when_terminated = false;
  }

  std::string Register(std::string name = "ext", std::string events = R"(["INVOKE","SHUTDOWN"])") {
    const auto answer = CallAny(0, "POST", "/2020-01-01/extension/register",
                                "{\"events\":" + events + "}", {{"Lambda-Extension-Name", name}});
    EXPECT_EQ((*answer)->status, 200) << (*answer)->body;
    return std::string((*answer)->headers.Get("Lambda-Extension-Identifier"));
  }
  Answer NextEvent(const std::string& id) {
    return CallAny(0, "GET", "/2020-01-01/extension/event/next", {},
                   {{"Lambda-Extension-Identifier", id}});
  }
  void ExitExtension(sandbox::ExitStatus status) {
    status.extension = "ext";
    Exit(0, status);
  }
  static int Count(const std::string& text, std::string_view what) {
    int count = 0;
    for (auto at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++count;
    return count;
  }

  // An environment that rests after an invoke, and what its runtime and its extension wait for.
  struct Warm {
    std::string id;
    Answer runtime;
    Answer extension;
  };
  Warm WarmUpWithExtension() {
    Configure();
    const auto invoke = Submit();
    Warm warm;
    warm.id = Register();
    NextEvent(warm.id);
    Respond(0, Next(0), "{}");
    warm.extension = NextEvent(warm.id);
    warm.runtime = Next(0);
    EXPECT_TRUE(invoke.done());
    return warm;
  }
};

TEST_F(EnvironmentExtensionsTest, StartsTheRuntimeWhenTheExtensionsHaveRegistered) {
  Configure();
  Submit();
  EXPECT_THAT(Sandbox(0).calls, ElementsAre("cpu full", "start ext"));
  Register();
  EXPECT_THAT(Sandbox(0).calls, ElementsAre("cpu full", "start ext", "start"));
}

TEST_F(EnvironmentExtensionsTest, GivesThemTheEnvironmentWithoutWhatIsTheRuntimes) {
  config_.environment["MINE"] = "1";
  Configure();
  Submit();
  const auto& environment = Sandbox(0).extensions.at("ext").environment;
  std::set<std::string> names;
  for (const auto& [name, value] : environment) names.insert(name);
  EXPECT_TRUE(names.contains("MINE"));
  EXPECT_TRUE(names.contains("AWS_LAMBDA_RUNTIME_API"));
  EXPECT_FALSE(names.contains("_HANDLER"));
  EXPECT_FALSE(names.contains("AWS_LAMBDA_LOG_STREAM_NAME"));
}

TEST_F(EnvironmentExtensionsTest, IsInitialisedWhenRuntimeAndExtensionsAskForWork) {
  Configure();
  const auto invoke = Submit();
  const std::string id = Register();
  const auto runtime = Next(0);
  EXPECT_FALSE(runtime->has_value());
  const auto extension = NextEvent(id);
  ASSERT_TRUE(runtime->has_value());
  ASSERT_TRUE(extension->has_value());
  EXPECT_THAT((*extension)->body, AllOf(HasSubstr(R"("eventType":"INVOKE")"),
                                        HasSubstr(invoke.invocation->event->request_id)));
  EXPECT_THAT(log(), HasSubstr("EXTENSION\tName: ext\tState: Ready\tEvents: [INVOKE,SHUTDOWN]\n"
                               "START RequestId: "));
}

TEST_F(EnvironmentExtensionsTest, AnswersAtOnceAndReportsWhenTheExtensionsAreDone) {
  const Warm warm = WarmUpWithExtension();
  const auto invoke = Submit();
  clock_.Advance(2ms);
  Respond(0, warm.runtime, "1");
  EXPECT_TRUE(invoke.done());
  Next(0);
  EXPECT_EQ(Count(log(), "REPORT "), 1);
  clock_.Advance(3ms);
  NextEvent(warm.id);
  EXPECT_THAT(log(), HasSubstr("\tDuration: 5.00 ms\t"));
  Advance(5ms);
  EXPECT_TRUE(Sandbox(0).frozen);
}

TEST_F(EnvironmentExtensionsTest, IsNotFrozenWhileAnExtensionWorks) {
  const Warm warm = WarmUpWithExtension();
  Submit();
  Respond(0, warm.runtime, "1");
  Next(0);
  Advance(1s);
  EXPECT_FALSE(Sandbox(0).frozen);
}

TEST_F(EnvironmentExtensionsTest, TimesOutAnExtensionThatIsNeverDone) {
  const Warm warm = WarmUpWithExtension();
  const auto invoke = Submit();
  Respond(0, warm.runtime, "1");
  Next(0);
  Advance(3s);
  EXPECT_EQ(invoke.result().payload, "1");
  EXPECT_THAT(log(), EndsWith("\tStatus: timeout\n"));
  EXPECT_EQ(Sandbox(0).Count("terminate"), 1);
  Exit(0, {.signaled = true, .code = 15});
  const auto shutdown = NextEvent(warm.id);
  EXPECT_THAT((*shutdown)->body, HasSubstr(R"("shutdownReason":"timeout")"));
}

TEST_F(EnvironmentExtensionsTest, FailsTheInvokeInWhichAnExtensionCrashes) {
  const Warm warm = WarmUpWithExtension();
  const auto invoke = Submit();
  ExitExtension({.code = 1});
  ASSERT_TRUE(invoke.done());
  EXPECT_EQ(invoke.result().payload,
            R"({"errorType":"Extension.Crash","errorMessage":"RequestId: )" +
                invoke.invocation->event->request_id + R"( Error: exit status 1"})");
  EXPECT_THAT(log(), EndsWith("\tStatus: error\tError Type: Extension.Crash\n"));
  // The runtime has its time to end, then all begins anew.
  const auto again = Submit();
  Exit(0, {.signaled = true, .code = 15});
  EXPECT_EQ(Sandbox(0).Count("start ext"), 2);
  NextEvent(Register());
  Respond(0, Next(0), "\"again\"");
  EXPECT_EQ(again.result().payload, "\"again\"");
}

TEST_F(EnvironmentExtensionsTest, TellsThemThatTheRuntimeFailed) {
  const Warm warm = WarmUpWithExtension();
  const auto invoke = Submit();
  const auto next = NextEvent(warm.id);
  Exit(0, {.code = 7});
  EXPECT_THAT(invoke.result().payload, HasSubstr("Runtime.ExitError"));
  EXPECT_THAT((*next)->body, HasSubstr(R"("shutdownReason":"failure")"));
  EXPECT_EQ(Sandbox(0).Count("kill"), 0);
  ExitExtension({.code = 0});
  Submit();
  EXPECT_EQ(Sandbox(0).Count("start ext"), 2);
}

TEST_F(EnvironmentExtensionsTest, FailsAnInitInWhichAnExtensionExits) {
  Configure();
  const auto invoke = Submit();
  ExitExtension({.code = 0});
  EXPECT_THAT(log(), HasSubstr("EXTENSION\tName: ext\tState: Started\tEvents: []\n"
                               "INIT_REPORT Init Duration: 0.00 ms\tPhase: init\tStatus: error\t"
                               "Error Type: Extension.Crash\n"));
  EXPECT_FALSE(invoke.done());
  ExitExtension({.code = 0});
  EXPECT_THAT(invoke.result().payload,
              AllOf(HasSubstr("Extension.Crash"), HasSubstr("Error: exit code 0")));
}

TEST_F(EnvironmentExtensionsTest, NamesTheErrorThatAnExtensionPosted) {
  Configure();
  const auto invoke = Submit();
  for (int i = 0; i < 2; ++i) {
    CallAny(0, "POST", "/2020-01-01/extension/init/error", "{}",
            {{"Lambda-Extension-Identifier", Register()},
             {"Lambda-Extension-Function-Error-Type", "Extension.NoConfig"}});
    ExitExtension({.code = 1});
    Exit(0, {.signaled = true, .code = 15});
  }
  EXPECT_THAT(log(), HasSubstr("State: InitError\tEvents: [INVOKE,SHUTDOWN]\t"
                               "Error Type: Extension.NoConfig\n"));
  EXPECT_THAT(invoke.result().payload,
              AllOf(HasSubstr("Extension.InitError"), HasSubstr("Error: exit status 1")));
}

TEST_F(EnvironmentExtensionsTest, TimesOutAnInitInWhichAnExtensionIsNeverReady) {
  Configure();
  const auto invoke = Submit();
  Register();
  Next(0);
  Advance(10s);
  EXPECT_THAT(log(), HasSubstr("EXTENSION\tName: ext\tState: Registered\t"));
  EXPECT_THAT(log(), EndsWith("\tPhase: init\tStatus: timeout\n"));
  EXPECT_FALSE(invoke.done());
  Advance(2s);
  EXPECT_EQ(Sandbox(0).Count("kill"), 1);
  EXPECT_EQ(Sandbox(0).Count("start ext"), 2);
}

TEST_F(EnvironmentExtensionsTest, SaysWhyAnExtensionCannotBeStarted) {
  sandboxes_.FailExtension(
      "ext", {ErrorCode::kPermissionDenied, "fork/exec /opt/extensions/ext: permission denied"});
  Configure();
  const auto invoke = Submit();
  EXPECT_THAT(log(), HasSubstr("EXTENSION\tName: ext\tState: LaunchError\tEvents: []\t"
                               "Error Type: PermissionDenied\n"));
  EXPECT_THAT(log(), HasSubstr("Error Type: Extension.LaunchError\n"));
}

TEST_F(EnvironmentExtensionsTest, EndsTheRuntimeFirstAndGivesTheExtensionsTwoSeconds) {
  const Warm warm = WarmUpWithExtension();
  scheduler_->Close();
  Poll();
  EXPECT_EQ(Sandbox(0).Count("terminate"), 1);
  EXPECT_FALSE(warm.extension->has_value());
  Exit(0, {.signaled = true, .code = 15});
  ASSERT_TRUE(warm.extension->has_value());
  EXPECT_THAT((*warm.extension)->body, HasSubstr(R"("shutdownReason":"spindown")"));
  Advance(1999ms);
  EXPECT_EQ(Sandbox(0).Count("kill"), 0);
  EXPECT_FALSE(scheduler_->empty());
  Advance(2ms);
  EXPECT_EQ(Sandbox(0).Count("kill"), 1);
  Poll();
  EXPECT_TRUE(scheduler_->empty());
}

TEST_F(EnvironmentExtensionsTest, EndsWhenItsExtensionHasEnded) {
  const Warm warm = WarmUpWithExtension();
  scheduler_->Close();
  Exit(0, {.signaled = true, .code = 15});
  ExitExtension({.code = 0});
  EXPECT_TRUE(scheduler_->empty());
  EXPECT_EQ(Sandbox(0).Count("kill"), 0);
}

TEST_F(EnvironmentExtensionsTest, BeginsAnewWhenAnExtensionEndedBetweenInvokes) {
  WarmUpWithExtension();
  sandboxes_.dies_when_killed = false;
  ExitExtension({.code = 1});
  EXPECT_EQ(Sandbox(0).Count("kill"), 1);
  const auto invoke = Submit();
  EXPECT_EQ(Sandbox(0).Count("start"), 1);
  Exit(0, {.signaled = true, .code = 9});
  EXPECT_EQ(Sandbox(0).Count("start ext"), 2);
  NextEvent(Register());
  Respond(0, Next(0), "1");
  EXPECT_EQ(invoke.result().payload, "1");
}

TEST_F(EnvironmentExtensionsTest, TellsAnInternalOneOfInvokesToo) {
  layers_.clear();
  Configure();
  Submit();
  const std::string id = Register("inner", R"(["INVOKE"])");
  const auto runtime = Next(0);
  const auto inner = NextEvent(id);
  EXPECT_THAT((*inner)->body, HasSubstr("INVOKE"));
  Respond(0, runtime, "1");
  Next(0);
  EXPECT_EQ(Count(log(), "REPORT "), 0);
  NextEvent(id);
  EXPECT_EQ(Count(log(), "REPORT "), 1);
}

TEST_F(EnvironmentExtensionsTest, SendsTelemetryToWhoSubscribesDuringInit) {
  Configure();
  Submit();
  const std::string id = Register();
  const auto subscribe = [&] {
    return CallAny(0, "PUT", "/2022-07-01/telemetry",
                   R"({"schemaVersion":"2022-12-13","types":["platform","function","extension"],
            "destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:8080"}})",
                   {{"Lambda-Extension-Identifier", id}});
  };
  EXPECT_EQ((*subscribe())->body, "\"OK\"");
  EXPECT_THAT(log(), HasSubstr("TELEMETRY\tName: ext\tState: Subscribed\t"
                               "Types: [Platform, Function, Extension]\n"));
  NextEvent(id);
  const auto next = Next(0);
  sandboxes_.Print(sandboxes_.ids()[0], "from the function\n");
  sandboxes_.PrintAsExtension(sandboxes_.ids()[0], "ext", "from the extension\n");
  Poll();
  clock_.Advance(7ms);
  Respond(0, next, "{}");
  clock_.Advance(3ms);
  Next(0);
  clock_.Advance(2ms);
  NextEvent(id);
  Advance(1s);
  const std::string sent = telemetry_.all();
  for (const char* type : {"platform.initStart", "platform.initRuntimeDone", "platform.initReport",
                           "platform.telemetrySubscription", "platform.extension", "platform.start",
                           "platform.runtimeDone", "platform.report"}) {
    EXPECT_THAT(sent, HasSubstr("\"type\":\"" + std::string(type) + "\"")) << sent;
  }
  EXPECT_THAT(sent, AllOf(HasSubstr(R"("type":"function","record":"from the function")"),
                          HasSubstr(R"("type":"extension","record":"from the extension")"),
                          HasSubstr(R"("producedBytes":2)")));
  const auto has_span = [](std::string name, std::string duration) {
    return ContainsRegex("\"name\":\"" + name +
                         "\",\"start\":\"[^\"]+Z\",\"durationMs\":" + duration);
  };
  EXPECT_THAT(sent,
              AllOf(has_span("responseLatency", "7E0"), has_span("responseDuration", "0E0"),
                    has_span("runtimeOverhead", "3E0"), has_span("extensionOverhead", "2E0")));
  EXPECT_THAT(log(), HasSubstr("from the extension\n"));
  const auto late = subscribe();
  EXPECT_EQ((*late)->status, 403);
  EXPECT_THAT((*late)->body, HasSubstr("Telemetry.SubscriptionClosed"));
}

TEST_F(EnvironmentExtensionsTest, RefusesSubscriptionsAsLambdaDoes) {
  Configure();
  Submit();
  const std::string id = Register();
  const auto unknown = CallAny(0, "PUT", "/2022-07-01/telemetry", "{}");
  EXPECT_EQ((*unknown)->status, 403);
  const auto bad =
      CallAny(0, "PUT", "/2022-07-01/telemetry", "{}", {{"Lambda-Extension-Identifier", id}});
  EXPECT_EQ((*bad)->status, 400);
  EXPECT_THAT((*bad)->body, HasSubstr(R"("errorType":"ValidationError")"));
  const auto logs = CallAny(
      0, "PUT", "/2020-08-15/logs",
      R"({"types":["function"],"destination":{"protocol":"HTTP","URI":"http://sandbox:80"}})",
      {{"Lambda-Extension-Identifier", id}});
  EXPECT_EQ((*logs)->status, 200);
  EXPECT_THAT(log(), HasSubstr("LOGS\tName: ext\tState: Subscribed\tTypes: [Function]\n"));
}

}  // namespace
}  // namespace kelvin::service
