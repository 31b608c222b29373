#include "lab/run.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/fake_lambda_client.h"

namespace kelvin::lab {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RunTest : public ::testing::Test {
 protected:
  RunTest() { options_.plan = {.cold = 4, .warm_up = 2, .warm = 6, .seed = 3}; }

  std::expected<void, Error> Go(const std::vector<std::string>& names) {
    std::vector<Subject> subjects;
    for (const std::string& name : names) subjects.push_back(Subject{.name = name});
    return lab::Run(client_, clock_, subjects, options_, hooks_, record_);
  }
  long Count(std::size_t function, Outcome outcome) const {
    return std::count_if(record_.samples.begin(), record_.samples.end(), [&](const Sample& sample) {
      return sample.function == function && sample.outcome == outcome;
    });
  }
  void FailWhen(std::function<bool()> condition) {
    client_.bend_invoke = [condition](auto&, aws::InvokeResult& result) {
      if (!condition()) return;
      result.function_error = "Unhandled";
      result.payload = R"({"errorType":"Function.Bad","errorMessage":"no table"})";
    };
  }

  const FakeClock clock_;
  FakeLambdaClient client_{clock_};
  RunOptions options_;
  RunHooks hooks_;
  Record record_;
};

TEST_F(RunTest, TakesEverySampleOfEveryFunction) {
  client_.Add("f");
  client_.Add("g");
  ASSERT_TRUE(Go({"f", "g"}).has_value());
  EXPECT_EQ(record_.samples.size(), 24U);
  EXPECT_EQ(Count(0, Outcome::kOk), 12);
  EXPECT_EQ(Count(1, Outcome::kOk), 12);
  EXPECT_EQ(record_.state, "finished");
  EXPECT_EQ(record_.seed, 3U);
  EXPECT_EQ(record_.functions[0].name, "f");
  EXPECT_EQ(record_.functions[0].mode, "aot");
  EXPECT_EQ(record_.functions[0].group, "group");
  EXPECT_EQ(record_.functions[0].code_size, 400'000U);
}

TEST_F(RunTest, LeavesEveryFunctionAsItWas) {
  client_.Add("f");
  ASSERT_TRUE(Go({"f"}).has_value());
  EXPECT_THAT(client_.functions.at("f").configuration.environment, IsEmpty());
}

TEST_F(RunTest, TakesARejectedSampleAgain) {
  client_.Add("f");
  int invokes = 0;
  client_.bend_invoke = [&](auto&, aws::InvokeResult& result) {
    if (++invokes == 2) result.log_tail.clear();
  };
  ASSERT_TRUE(Go({"f"}).has_value());
  EXPECT_EQ(Count(0, Outcome::kOk), 12);
  EXPECT_EQ(Count(0, Outcome::kRejected), 1);
}

TEST_F(RunTest, GivesUpAFunctionThatNeverGetsColdAndGoesOnWithTheOthers) {
  client_.Add("f");
  client_.Add("g");
  options_.plan.warm = 0;
  options_.plan.warm_up = 0;
  client_.bend_invoke = [](FakeLambdaClient::Function& function, aws::InvokeResult& result) {
    const std::size_t init = result.log_tail.find("Init Duration");
    if (function.configuration.name == "f" && init != std::string::npos) {
      result.log_tail.erase(init);
    }
  };
  ASSERT_TRUE(Go({"f", "g"}).has_value());
  EXPECT_THAT(record_.functions[0].abandoned, HasSubstr("5 cold samples in a row"));
  EXPECT_EQ(Count(0, Outcome::kRejected), 5);
  EXPECT_THAT(record_.functions[1].abandoned, IsEmpty());
  EXPECT_EQ(Count(1, Outcome::kOk), 4);
}

TEST_F(RunTest, KeepsFailuresWhileTheyAreFew) {
  client_.Add("f");
  FailWhen([this] { return client_.invokes == 5; });
  ASSERT_TRUE(Go({"f"}).has_value());
  EXPECT_EQ(Count(0, Outcome::kFailed), 1);
  EXPECT_EQ(Count(0, Outcome::kOk), 11);
  EXPECT_THAT(record_.functions[0].abandoned, IsEmpty());
}

TEST_F(RunTest, GivesUpAFunctionThatFailsTooOften) {
  client_.Add("f");
  FailWhen([] { return true; });
  ASSERT_TRUE(Go({"f"}).has_value());
  EXPECT_THAT(record_.functions[0].abandoned, HasSubstr("more than 10 %"));
  EXPECT_THAT(record_.functions[0].abandoned, HasSubstr("Function.Bad: no table"));
  EXPECT_EQ(record_.samples.size(), 2U);
}

TEST_F(RunTest, StopsBetweenSamplesWhenAsked) {
  client_.Add("f");
  hooks_.stop_requested = [this] { return client_.invokes == 3; };
  ASSERT_TRUE(Go({"f"}).has_value());
  EXPECT_EQ(record_.state, "interrupted");
  EXPECT_EQ(record_.samples.size(), 3U);
  EXPECT_THAT(client_.functions.at("f").configuration.environment, IsEmpty());
}

TEST_F(RunTest, SavesAfterEverySampleAndAtTheEnd) {
  client_.Add("f");
  std::vector<std::size_t> sizes;
  hooks_.save = [&](const Record& record) -> std::expected<void, Error> {
    sizes.push_back(record.samples.size());
    return {};
  };
  ASSERT_TRUE(Go({"f"}).has_value());
  ASSERT_EQ(sizes.size(), 13U);
  EXPECT_EQ(sizes.front(), 1U);
  EXPECT_EQ(sizes.back(), 12U);
}

TEST_F(RunTest, FailsWhenTheRecordCannotBeSavedAndStillRestores) {
  client_.Add("f");
  hooks_.save = [](const Record&) -> std::expected<void, Error> {
    return std::unexpected(Error{ErrorCode::kResourceExhausted, "disk full"});
  };
  const auto result = Go({"f"});
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().message, "disk full");
  EXPECT_THAT(client_.functions.at("f").configuration.environment, IsEmpty());
}

TEST_F(RunTest, KeepsWhatItMeasuredWhenTheEndpointGoesAway) {
  client_.Add("f");
  client_.bend_invoke = [this](auto&, auto&) {
    if (client_.invokes == 4) {
      client_.failures_of_invoke.assign(100, Error{ErrorCode::kUnavailable, "refused"});
    }
  };
  const auto result = Go({"f"});
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().message, "refused");
  EXPECT_EQ(record_.state, "failed");
  EXPECT_EQ(record_.samples.size(), 4U);
}

TEST_F(RunTest, NamesAFunctionThatDoesNotExistBeforeMeasuringAny) {
  client_.Add("f");
  const auto result = Go({"f", "nobody"});
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(client_.invokes, 0);
}

TEST_F(RunTest, TellsHowFarItIs) {
  client_.Add("f");
  std::vector<std::size_t> done;
  hooks_.on_progress = [&](const Progress& progress) {
    EXPECT_EQ(progress.planned, 12U);
    EXPECT_EQ(progress.function, "f");
    done.push_back(progress.done);
  };
  ASSERT_TRUE(Go({"f"}).has_value());
  EXPECT_EQ(done.size(), 12U);
  EXPECT_EQ(done.back(), 11U);
}

TEST_F(RunTest, EndsThePhasesWithTheRoundInWhichTheBudgetIsSpent) {
  client_.Add("f");
  client_.Add("g");
  options_.budget = std::chrono::milliseconds{20};  // an invoke takes 2
  ASSERT_TRUE(Go({"f", "g"}).has_value());
  EXPECT_EQ(record_.state, "finished");
  EXPECT_EQ(record_.settings.budget_seconds, 0.02);
  const auto count = [&](std::size_t function, SampleKind kind) {
    return std::ranges::count_if(record_.samples, [&](const Sample& sample) {
      return sample.function == function && sample.kind == kind;
    });
  };
  EXPECT_EQ(count(0, SampleKind::kCold), 3);
  EXPECT_EQ(count(1, SampleKind::kCold), 3);
  EXPECT_EQ(count(0, SampleKind::kWarmUp), 2);
  EXPECT_EQ(count(0, SampleKind::kWarm), 1);
  EXPECT_EQ(count(1, SampleKind::kWarm), 1);
}

TEST_F(RunTest, GoesOnWithAnInterruptedRunWhereItEnded) {
  client_.Add("f");
  client_.Add("g");
  for (const int stop_after : {1, 5, 8, 9, 13, 23}) {
    record_ = Record{};
    client_.invokes = 0;
    hooks_.stop_requested = [&] { return client_.invokes == stop_after; };
    ASSERT_TRUE(Go({"f", "g"}).has_value());
    ASSERT_EQ(record_.state, "interrupted");
    hooks_.stop_requested = [] { return false; };
    ASSERT_TRUE(Go({"f", "g"}).has_value());
    EXPECT_EQ(record_.state, "finished");
    EXPECT_EQ(record_.resumed.size(), 1U);
    EXPECT_EQ(record_.functions.size(), 2U);
    EXPECT_EQ(Count(0, Outcome::kOk), 12) << stop_after;
    EXPECT_EQ(Count(1, Outcome::kOk), 12) << stop_after;
    for (const Sample& sample : record_.samples) {
      if (sample.kind == SampleKind::kWarm && sample.outcome == Outcome::kOk) {
        EXPECT_FALSE(sample.init_ms.has_value());
      }
    }
  }
}

TEST_F(RunTest, DoesNotResumeWithAnotherBuild) {
  client_.Add("f");
  hooks_.stop_requested = [&] { return client_.invokes == 2; };
  ASSERT_TRUE(Go({"f"}).has_value());
  client_.functions.at("f").configuration.code_sha256 = "other";
  const auto resumed = Go({"f"});
  ASSERT_FALSE(resumed.has_value());
  EXPECT_EQ(resumed.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(resumed.error().message, HasSubstr("SHA-256 other"));
}

TEST_F(RunTest, GivesUpAFunctionThatSomebodyElseUpdatesBetweenColdSamples) {
  client_.Add("f");
  client_.Add("g");
  client_.bend_invoke = [&](FakeLambdaClient::Function&, aws::InvokeResult&) {
    if (client_.invokes == 3) client_.functions.at("f").configuration.code_sha256 = "other";
  };
  ASSERT_TRUE(Go({"f", "g"}).has_value());
  EXPECT_THAT(record_.functions[0].abandoned, HasSubstr("somebody else changed its code"));
  EXPECT_LT(Count(0, Outcome::kOk), 4);
  EXPECT_THAT(record_.functions[1].abandoned, IsEmpty());
  EXPECT_EQ(Count(1, Outcome::kOk), 12);
}

TEST_F(RunTest, SeesAnUpdateThatEndsAWarmEnvironmentOrComesAtTheEnd) {
  client_.Add("f");
  client_.bend_invoke = [&](FakeLambdaClient::Function& function, aws::InvokeResult&) {
    if (client_.invokes != 9) return;
    function.configuration.environment["NEW"] = "1";
    function.cold = true;
  };
  ASSERT_TRUE(Go({"f"}).has_value());
  EXPECT_THAT(record_.functions[0].abandoned, HasSubstr("its environment variables"));
  // What the other wrote stays, what the run wrote goes.
  EXPECT_EQ(client_.functions.at("f").configuration.environment,
            (std::map<std::string, std::string>{{"NEW", "1"}}));

  record_ = Record{};
  client_.invokes = 0;
  client_.bend_invoke = [&](FakeLambdaClient::Function& function, aws::InvokeResult&) {
    if (client_.invokes == 12) function.configuration.code_sha256 = "last";
  };
  ASSERT_TRUE(Go({"f"}).has_value());
  EXPECT_THAT(record_.functions[0].abandoned, HasSubstr("its code"));
  EXPECT_EQ(Count(0, Outcome::kOk), 12);
}

TEST_F(RunTest, MeasuresOneFunctionAtSeveralMemorySizes) {
  client_.Add("f");
  options_.plan.warm_order = WarmOrder::kInTurn;
  std::vector<Subject> subjects;
  for (const int memory : {128, 256, 512}) {
    subjects.push_back(Subject{.name = "f", .memory_mb = memory});
  }
  std::map<int, int> invokes;
  client_.bend_invoke = [&](FakeLambdaClient::Function& function, aws::InvokeResult&) {
    ++invokes[function.configuration.memory_mb];
  };
  ASSERT_TRUE(lab::Run(client_, clock_, subjects, options_, hooks_, record_).has_value());
  EXPECT_EQ(invokes, (std::map<int, int>{{128, 12}, {256, 12}, {512, 12}}));
  EXPECT_EQ(record_.functions[2].memory_mb, 512);
  EXPECT_EQ(client_.functions.at("f").configuration.memory_mb, 128);
  EXPECT_THAT(client_.functions.at("f").configuration.environment, IsEmpty());
}

TEST_F(RunTest, RefusesToForceColdStartsOfAPublishedVersion) {
  client_.Add("f:7");
  const auto run = Go({"f:7"});
  ASSERT_FALSE(run.has_value());
  EXPECT_THAT(run.error().message, HasSubstr("--cold 0"));
  options_.plan.cold = 0;
  EXPECT_TRUE(Go({"f:7"}).has_value());
  EXPECT_EQ(client_.updates, 0);
}

}  // namespace
}  // namespace kelvin::lab
