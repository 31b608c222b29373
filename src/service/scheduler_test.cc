#include "service/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/scheduler_fixture.h"

namespace kelvin::service {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using SchedulerTest = SchedulerFixture;
using Kind = InvokeOutcome::Kind;

TEST_F(SchedulerTest, StartsAnEnvironmentForTheFirstInvoke) {
  Configure();
  EXPECT_EQ(sandboxes_.creates(), 0);
  const auto invoke = Submit();
  EXPECT_EQ(sandboxes_.creates(), 1);
  EXPECT_FALSE(invoke.done());
  const auto next = Next(0);
  ASSERT_TRUE(next->has_value());
  EXPECT_EQ((*next)->headers.Get("Lambda-Runtime-Aws-Request-Id"),
            invoke.invocation->event->request_id);
  EXPECT_EQ(Respond(0, next, "42"), 202);
  ASSERT_TRUE(invoke.done());
  EXPECT_EQ(invoke.result().payload, "42");
}

TEST_F(SchedulerTest, ReusesAWarmEnvironment) {
  const auto next = WarmUp();
  const auto invoke = Submit();
  Respond(0, next, "2");
  EXPECT_EQ(invoke.result().payload, "2");
  EXPECT_EQ(sandboxes_.creates(), 1);
}

TEST_F(SchedulerTest, StartsASecondEnvironmentWhenTheFirstIsBusy) {
  WarmUp();
  Submit();
  Submit();
  EXPECT_EQ(sandboxes_.creates(), 2);
}

TEST_F(SchedulerTest, WaitsForAnEnvironmentThatHasAnsweredAndNotYetAskedForMore) {
  const auto next = WarmUp();
  Submit();
  Respond(0, next, "1");
  const auto second = Submit();
  EXPECT_EQ(sandboxes_.creates(), 1);
  Respond(0, Next(0), "2");
  EXPECT_EQ(second.result().payload, "2");
}

TEST_F(SchedulerTest, StartsAnotherWhenOneThatHasAnsweredTakesItsTime) {
  const auto next = WarmUp();
  Submit();
  Respond(0, next, "1");
  Submit();
  Advance(100ms);
  EXPECT_EQ(sandboxes_.creates(), 2);
}

TEST_F(SchedulerTest, GivesAnInvokeThatWaitsToWhicheverEnvironmentIsFreeFirst) {
  const auto next = WarmUp();
  Submit();
  const auto second = Submit();  // starts an environment of its own
  Respond(0, next, "1");
  const auto again = Next(0);
  ASSERT_TRUE(again->has_value());
  Respond(0, again, "2");
  EXPECT_EQ(second.result().payload, "2");
}

TEST_F(SchedulerTest, TakesTheEnvironmentThatRestedLast) {
  Configure();
  Submit();
  Submit();
  const auto first = Next(0);
  const auto second = Next(1);
  Respond(0, first, "");
  Respond(1, second, "");
  const auto waiting1 = Next(1);
  const auto waiting0 = Next(0);
  Submit();
  EXPECT_TRUE(waiting0->has_value());
  EXPECT_FALSE(waiting1->has_value());
}

TEST_F(SchedulerTest, RefusesInvokesOverTheConcurrencyOfTheAccount) {
  Configure();
  for (int i = 0; i < 3; ++i) Submit();
  const auto refused = scheduler_->Submit("f", "$LATEST", std::make_shared<Invocation>());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ApiErrorKind::kTooManyRequests);
  EXPECT_EQ(refused.error().reason, "ConcurrentInvocationLimitExceeded");
}

TEST_F(SchedulerTest, CountsAnInvokeUntilItsLogIsComplete) {
  const auto next = WarmUp();
  EXPECT_EQ(scheduler_->running(), 0);
  Submit();
  Respond(0, next, "1");
  EXPECT_EQ(scheduler_->running(), 1);
  Next(0);
  EXPECT_EQ(scheduler_->running(), 0);
}

TEST_F(SchedulerTest, KnowsOnlyConfiguredFunctions) {
  const auto refused = scheduler_->Submit("nobody", "$LATEST", std::make_shared<Invocation>());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ApiErrorKind::kResourceNotFound);
}

TEST_F(SchedulerTest, EndsEnvironmentsOfAnOlderConfiguration) {
  WarmUp();
  Configure("f", "changed");
  EXPECT_FALSE(Sandbox(0).alive);
  EXPECT_EQ(Sandbox(0).Count("terminate"), 1);
  Submit();
  EXPECT_EQ(sandboxes_.creates(), 2);
}

TEST_F(SchedulerTest, LetsAnEnvironmentOfAnOlderConfigurationFinishItsInvoke) {
  const auto next = WarmUp();
  const auto invoke = Submit();
  Configure("f", "changed");
  EXPECT_TRUE(Sandbox(0).running);
  Respond(0, next, "1");
  EXPECT_EQ(invoke.result().payload, "1");
  Next(0);
  EXPECT_FALSE(Sandbox(0).alive);
}

TEST_F(SchedulerTest, KillsWhatDoesNotEndWhenToldTo) {
  WarmUp();
  sandboxes_.dies_when_terminated = false;
  scheduler_->Remove("f");
  Poll();
  EXPECT_EQ(Sandbox(0).Count("kill"), 0);
  Advance(2s);
  EXPECT_EQ(Sandbox(0).Count("kill"), 1);
  EXPECT_TRUE(scheduler_->empty());
}

TEST_F(SchedulerTest, FreezesAnEnvironmentThatRestsAndThawsItToWork) {
  const auto next = WarmUp();
  EXPECT_EQ(Sandbox(0).Count("freeze"), 0);
  Advance(5ms);
  EXPECT_TRUE(Sandbox(0).frozen);
  Submit();
  EXPECT_FALSE(Sandbox(0).frozen);
  EXPECT_TRUE(next->has_value());
}

TEST_F(SchedulerTest, DoesNotFreezeBetweenInvokesThatFollowEachOther) {
  auto next = WarmUp();
  for (int i = 0; i < 3; ++i) {
    Advance(1ms);
    Submit();
    Respond(0, next, "");
    next = Next(0);
  }
  EXPECT_EQ(Sandbox(0).Count("freeze"), 0);
}

TEST_F(SchedulerTest, EndsAnEnvironmentThatHasNothingToDo) {
  WarmUp();
  Advance(5ms);
  Advance(10min);
  EXPECT_FALSE(Sandbox(0).alive);
  EXPECT_EQ(scheduler_->environments("f"), 0u);
}

TEST_F(SchedulerTest, AnswersWhenNoEnvironmentCanBeMade) {
  Configure();
  sandboxes_.FailCreate(1, {ErrorCode::kResourceExhausted, "no memory left"});
  const auto invoke = Submit();
  ASSERT_TRUE(invoke.done());
  EXPECT_EQ(invoke.result().kind, Kind::kServiceError);
  EXPECT_THAT(invoke.result().payload, HasSubstr("no memory left"));
  EXPECT_EQ(scheduler_->running(), 0);
}

TEST_F(SchedulerTest, FailsWhatWaitsWhenTheFunctionIsRemoved) {
  Configure();
  const auto invoke = Submit();
  scheduler_->Remove("f");
  Poll();
  ASSERT_TRUE(invoke.done());
  EXPECT_EQ(invoke.result().kind, Kind::kServiceError);
}

TEST_F(SchedulerTest, RefusesInvokesOnceClosed) {
  WarmUp();
  scheduler_->Close();
  Poll();
  EXPECT_TRUE(scheduler_->empty());
  EXPECT_FALSE(scheduler_->Submit("f", "$LATEST", std::make_shared<Invocation>()));
}

TEST_F(SchedulerTest, AnswersTheInvokesItKills) {
  WarmUp();
  const auto invoke = Submit();
  scheduler_->Kill();
  Poll();
  EXPECT_TRUE(scheduler_->empty());
  ASSERT_TRUE(invoke.done());
  EXPECT_EQ(invoke.result().kind, Kind::kFunctionError);
}

TEST_F(SchedulerTest, CountsColdAndWarmInvokesThrottlesAndErrors) {
  const auto count = [this](std::string_view what) {
    const std::string text =
        metrics_.Render({.versions = scheduler_->Gauges(), .queued_events = {}});
    const std::string line =
        "\nkelvin_" + std::string(what) + "{function=\"f\",version=\"$LATEST\"} ";
    const std::size_t at = text.find(line);
    return at == text.npos ? -1 : std::stoi(text.substr(at + line.size()));
  };
  auto next = WarmUp();
  EXPECT_EQ(count("invocations_total"), 1);
  EXPECT_EQ(count("cold_starts_total"), 1);
  EXPECT_EQ(count("init_duration_seconds_count"), 1);
  EXPECT_EQ(count("environments"), 1);
  EXPECT_EQ(count("concurrent_executions"), 0);
  Submit();
  EXPECT_EQ(count("concurrent_executions"), 1);
  Respond(0, next, "{}");
  next = Next(0);
  EXPECT_EQ(count("concurrent_executions"), 0);
  EXPECT_EQ(count("cold_starts_total"), 1);
  Submit();
  Exit(0, {.signaled = true, .code = 9});
  EXPECT_EQ(count("errors_total"), 1);
  EXPECT_EQ(count("cold_starts_total"), 1);
  Submit();
  Next(0);
  Respond(0, Next(0), "{}");
  Next(0);
  EXPECT_EQ(count("invocations_total"), 4);
  EXPECT_EQ(count("cold_starts_total"), 2);
  for (int i = 0; i < 3; ++i) Submit();
  EXPECT_FALSE(scheduler_->Submit("f", "$LATEST", std::make_shared<Invocation>()));
  EXPECT_EQ(count("throttles_total"), 1);
  EXPECT_EQ(count("concurrent_executions"), 3);
}

}  // namespace
}  // namespace kelvin::service
