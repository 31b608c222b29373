#include "lab/sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/fake_lambda_client.h"

namespace kelvin::lab {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class SamplerTest : public ::testing::Test {
 protected:
  const FakeClock clock_;
  FakeLambdaClient client_{clock_};
  Sampler sampler_{client_, clock_};

  std::map<std::string, std::string>& EnvironmentOf(const std::string& name) {
    return client_.functions.at(name).configuration.environment;
  }
};

TEST_F(SamplerTest, ForcesAColdStartAndVerifiesItByTheReport) {
  client_.Add("f").cold = false;
  ASSERT_TRUE(sampler_.Open("f").has_value());
  const auto sample = sampler_.TakeCold("f", R"({"a":1})");
  ASSERT_TRUE(sample.has_value()) << sample.error().message;
  EXPECT_EQ(sample->outcome, Outcome::kOk);
  EXPECT_DOUBLE_EQ(sample->init_ms.value(), 10);
  EXPECT_DOUBLE_EQ(sample->duration_ms, 1.5);
  EXPECT_EQ(sample->billed_ms, 12);
  EXPECT_EQ(sample->max_memory_mb, 4);
  EXPECT_DOUBLE_EQ(sample->client_ms, 2);
  EXPECT_EQ(sample->request_id, "request-1");
  EXPECT_THAT(sample->report, HasSubstr("REPORT RequestId: request-1"));
  EXPECT_EQ(client_.payloads.back(), R"({"a":1})");
}

TEST_F(SamplerTest, CountsTheInvokesOfAnEnvironment) {
  client_.Add("f");
  ASSERT_TRUE(sampler_.Open("f").has_value());
  EXPECT_EQ(sampler_.TakeCold("f", "{}")->invoke, 1);
  EXPECT_EQ(sampler_.TakeWarmUp("f", "{}")->invoke, 2);
  EXPECT_EQ(sampler_.TakeWarm("f", "{}")->invoke, 3);
  EXPECT_EQ(sampler_.TakeCold("f", "{}")->invoke, 1);
}

TEST_F(SamplerTest, LeavesTheEnvironmentVariablesAsTheyWere) {
  client_.Add("f");
  EnvironmentOf("f") = {{"TABLE_NAME", "items"}};
  ASSERT_TRUE(sampler_.Open("f").has_value());
  ASSERT_TRUE(sampler_.TakeCold("f", "{}").has_value());
  EXPECT_EQ(EnvironmentOf("f").count("KELVIN_COLD_START"), 1U);
  EXPECT_EQ(EnvironmentOf("f").at("TABLE_NAME"), "items");
  ASSERT_TRUE(sampler_.Restore().has_value());
  EXPECT_THAT(EnvironmentOf("f"), UnorderedElementsAre(std::pair("TABLE_NAME", "items")));
  const int updates = client_.updates;
  ASSERT_TRUE(sampler_.Restore().has_value());
  EXPECT_EQ(client_.updates, updates);
}

TEST_F(SamplerTest, RestoresWhenItGoesWithoutHavingBeenAsked) {
  client_.Add("f");
  {
    Sampler sampler(client_, clock_);
    ASSERT_TRUE(sampler.Open("f").has_value());
    ASSERT_TRUE(sampler.TakeCold("f", "{}").has_value());
  }
  EXPECT_TRUE(EnvironmentOf("f").empty());
}

TEST_F(SamplerTest, TakesAwayTheStampOfARunThatWasKilled) {
  client_.Add("f");
  EnvironmentOf("f") = {{"A", "b"}, {"KELVIN_COLD_START", "old"}};
  const auto configuration = sampler_.Open("f");
  ASSERT_TRUE(configuration.has_value());
  EXPECT_THAT(configuration->environment, UnorderedElementsAre(std::pair("A", "b")));
  ASSERT_TRUE(sampler_.Restore().has_value());
  EXPECT_THAT(EnvironmentOf("f"), UnorderedElementsAre(std::pair("A", "b")));
}

TEST_F(SamplerTest, DoesNotTouchAFunctionItTookNoColdSampleOf) {
  client_.Add("f");
  ASSERT_TRUE(sampler_.Open("f").has_value());
  ASSERT_TRUE(sampler_.TakeWarmUp("f", "{}").has_value());
  ASSERT_TRUE(sampler_.Restore().has_value());
  EXPECT_EQ(client_.updates, 0);
}

TEST_F(SamplerTest, WaitsUntilTheUpdateIsSuccessful) {
  client_.Add("f");
  client_.polls_after_update = 5;
  ASSERT_TRUE(sampler_.Open("f").has_value());
  ASSERT_TRUE(sampler_.TakeCold("f", "{}").has_value());
  EXPECT_EQ(client_.functions.at("f").pending_polls, 0);
  EXPECT_GE(clock_.elapsed(), std::chrono::milliseconds{2 + 4 + 8 + 16 + 32});
}

TEST_F(SamplerTest, GivesUpOnAnUpdateThatNeverEnds) {
  client_.Add("f").pending_polls = 1'000'000;
  const auto opened = sampler_.Open("f");
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, ErrorCode::kTimeout);
  EXPECT_THAT(opened.error().message, HasSubstr("InProgress"));
}

TEST_F(SamplerTest, SaysWhyAFunctionCannotBecomeReady) {
  auto& configuration = client_.Add("f").configuration;
  configuration.state = "Failed";
  configuration.state_reason = "the image is gone";
  const auto opened = sampler_.Open("f");
  ASSERT_FALSE(opened.has_value());
  EXPECT_THAT(opened.error().message, HasSubstr("the image is gone"));
}

TEST_F(SamplerTest, NamesAFunctionThatDoesNotExist) {
  const auto opened = sampler_.Open("nobody");
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(opened.error().message, HasSubstr("nobody"));
}

TEST_F(SamplerTest, RejectsAColdSampleThatWasWarm) {
  client_.Add("f");
  client_.never_cold = true;
  ASSERT_TRUE(sampler_.Open("f").has_value());
  const auto sample = sampler_.TakeCold("f", "{}");
  ASSERT_TRUE(sample.has_value());
  EXPECT_EQ(sample->outcome, Outcome::kRejected);
  EXPECT_THAT(sample->reason, HasSubstr("no Init Duration"));
}

TEST_F(SamplerTest, RejectsAWarmSampleThatWasCold) {
  client_.Add("f");
  ASSERT_TRUE(sampler_.Open("f").has_value());
  EXPECT_EQ(sampler_.TakeWarm("f", "{}")->outcome, Outcome::kRejected);
  EXPECT_EQ(sampler_.TakeWarm("f", "{}")->outcome, Outcome::kOk);
}

TEST_F(SamplerTest, LetsTheWarmUpStartTheEnvironment) {
  client_.Add("f");
  ASSERT_TRUE(sampler_.Open("f").has_value());
  const auto sample = sampler_.TakeWarmUp("f", "{}");
  EXPECT_EQ(sample->outcome, Outcome::kOk);
  EXPECT_EQ(sample->invoke, 1);
}

TEST_F(SamplerTest, RejectsASampleWithoutReport) {
  client_.Add("f");
  client_.bend_invoke = [](auto&, aws::InvokeResult& result) { result.log_tail.clear(); };
  ASSERT_TRUE(sampler_.Open("f").has_value());
  const auto sample = sampler_.TakeCold("f", "{}");
  EXPECT_EQ(sample->outcome, Outcome::kRejected);
  EXPECT_THAT(sample->reason, HasSubstr("REPORT"));
}

TEST_F(SamplerTest, NamesAFailureByItsErrorType) {
  client_.Add("f");
  client_.bend_invoke = [](auto&, aws::InvokeResult& result) {
    result.function_error = "Unhandled";
    result.payload = R"({"errorType":"Runtime.ExitError",)"
                     R"("errorMessage":"RequestId: 8476a536 Error: exit status 3"})";
  };
  ASSERT_TRUE(sampler_.Open("f").has_value());
  const auto sample = sampler_.TakeCold("f", "{}");
  EXPECT_EQ(sample->outcome, Outcome::kFailed);
  EXPECT_EQ(sample->reason, "Runtime.ExitError");
  EXPECT_EQ(sampler_.LastFailure("f"), "exit status 3");
}

TEST_F(SamplerTest, NamesAFailureWithoutTypeAsLambdaDoes) {
  client_.Add("f");
  client_.bend_invoke = [](auto&, aws::InvokeResult& result) {
    result.function_error = "Unhandled";
    result.payload = "not json";
  };
  ASSERT_TRUE(sampler_.Open("f").has_value());
  EXPECT_EQ(sampler_.TakeCold("f", "{}")->reason, "Unhandled");
  EXPECT_EQ(sampler_.LastFailure("f"), "");
}

TEST_F(SamplerTest, TriesAgainWhenThrottledOrInterrupted) {
  client_.Add("f");
  client_.failures_of_get = {Error{ErrorCode::kUnavailable, "hung up"}};
  client_.failures_of_update = {Error{ErrorCode::kAlreadyExists, "an update is in progress"}};
  client_.failures_of_invoke = {Error{ErrorCode::kThrottled, "slow down"},
                                Error{ErrorCode::kThrottled, "slow down"}};
  ASSERT_TRUE(sampler_.Open("f").has_value());
  const auto sample = sampler_.TakeCold("f", "{}");
  ASSERT_TRUE(sample.has_value()) << sample.error().message;
  EXPECT_EQ(sample->outcome, Outcome::kOk);
  EXPECT_DOUBLE_EQ(sample->client_ms, 2) << "waiting is not latency";
}

TEST_F(SamplerTest, GivesUpOnAnEndpointThatStaysDown) {
  client_.failures_of_get.assign(100, Error{ErrorCode::kUnavailable, "connection refused"});
  const auto opened = sampler_.Open("f");
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().message, "connection refused");
  EXPECT_EQ(client_.failures_of_get.size(), 94U);
}

TEST_F(SamplerTest, DoesNotRepeatWhatIsForbidden) {
  client_.Add("f");
  ASSERT_TRUE(sampler_.Open("f").has_value());
  client_.failures_of_update.assign(3, Error{ErrorCode::kPermissionDenied, "not allowed"});
  const auto sample = sampler_.TakeCold("f", "{}");
  ASSERT_FALSE(sample.has_value());
  EXPECT_EQ(client_.failures_of_update.size(), 2U);
}

TEST_F(SamplerTest, SaysWhichFunctionItCouldNotRestore) {
  client_.Add("f");
  client_.Add("g");
  ASSERT_TRUE(sampler_.Open("f").has_value());
  ASSERT_TRUE(sampler_.Open("g").has_value());
  ASSERT_TRUE(sampler_.TakeCold("f", "{}").has_value());
  ASSERT_TRUE(sampler_.TakeCold("g", "{}").has_value());
  client_.failures_of_update = {Error{ErrorCode::kPermissionDenied, "not allowed"}};
  const auto restored = sampler_.Restore();
  ASSERT_FALSE(restored.has_value());
  EXPECT_THAT(restored.error().message, HasSubstr("function f"));
  EXPECT_TRUE(EnvironmentOf("g").empty());
}

}  // namespace
}  // namespace kelvin::lab
