#include "deploy/rollout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fake_clock.h"
#include "deploy/deployment.h"
#include "deploy/fake_aws.h"
#include "deploy/metrics.h"

namespace kelvin::deploy {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class FakeMetrics final : public Metrics {
 public:
  std::map<std::string, VersionFigures> figures;
  int fail_call = 0;
  int calls = 0;
  std::function<void()> before_answer;

  std::expected<VersionFigures, Error> Since(const std::string&, const std::string&,
                                             const std::string& version, Clock::WallTime) override {
    if (before_answer) before_answer();
    if (++calls == fail_call) return std::unexpected(Error{ErrorCode::kUnavailable, "gone"});
    return figures[version];
  }
};

class RolloutTest : public ::testing::Test {
 protected:
  RolloutTest() : lambda_(aws_) {
    aws_.exists = true;
    for (const char* version : {"1", "2"}) aws_.versions[version] = {{"Version", version}};
    aws_.aliases["live"] = {{"FunctionVersion", "1"}, {"RevisionId", "x"}};
    metrics_.figures = {{"1", {1000, 1, 10, 9, 20}}, {"2", {100, 0, 10, 9, 21}}};
    options_.function = "f";
    options_.rules = {ParseAbortRule("errors > 1%").value(), ParseAbortRule("p99 > 1.2x").value()};
  }
  std::expected<RolloutOutcome, Error> Run() {
    return Rollout(
        lambda_, metrics_, clock_, options_,
        [this](std::string_view line) {
          told_.emplace_back(line);
          const auto& routing = aws_.aliases["live"];
          const auto* config = routing.if_contains("RoutingConfig");
          if (config == nullptr) return;
          const auto& weights = config->at("AdditionalVersionWeights").as_object();
          if (!weights.empty()) seen_.push_back(weights.begin()->value().to_number<double>());
        },
        [this] { return stop_; });
  }
  std::string Version() { return std::string(aws_.aliases["live"]["FunctionVersion"].as_string()); }

  FakeAws aws_;
  Lambda lambda_;
  FakeMetrics metrics_;
  FakeClock clock_;
  RolloutOptions options_;
  std::vector<std::string> told_;
  std::vector<double> seen_;
  bool stop_ = false;
};

TEST_F(RolloutTest, GoesThroughItsSteps) {
  const auto begin = clock_.Now();
  const auto outcome = Run();
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(Version(), "2");
  EXPECT_EQ(outcome->steps.size(), 3U);
  EXPECT_THAT(seen_, ElementsAre(0.1, 0.1, 0.25, 0.25, 0.5, 0.5));
  EXPECT_EQ(clock_.Now() - begin, 3 * options_.every);
  EXPECT_EQ(PreviousOf(*lambda_.Alias("f", "live").value()), "1");
}

TEST_F(RolloutTest, GoesBackWhenARuleBreaks) {
  metrics_.figures["2"].errors = 2;
  const auto outcome = Run();
  ASSERT_TRUE(outcome);
  EXPECT_THAT(outcome->aborted_by, HasSubstr("'errors > 1%' broken: 2.00%"));
  EXPECT_EQ(Version(), "1");
  EXPECT_TRUE(
      aws_.aliases["live"].at("RoutingConfig").at("AdditionalVersionWeights").as_object().empty());
}

TEST_F(RolloutTest, ComparesWithTheOldVersion) {
  metrics_.figures["2"].p99_ms = 24.5;
  EXPECT_THAT(Run()->aborted_by, HasSubstr("24.50 against 20.00"));
}

TEST_F(RolloutTest, GoesOnWhereAnInterruptedOneWas) {
  stop_ = true;
  const auto first = Run();
  ASSERT_FALSE(first);
  EXPECT_THAT(first.error().message, HasSubstr("interrupted at 10%"));
  stop_ = false;
  aws_.aliases["live"]["RoutingConfig"].as_object()["AdditionalVersionWeights"].as_object()["2"] =
      0.25;
  told_.clear();
  ASSERT_TRUE(Run());
  EXPECT_THAT(told_.front(), HasSubstr("going on"));
  EXPECT_THAT(told_[1], HasSubstr("25%"));
  EXPECT_EQ(Version(), "2");
}

TEST_F(RolloutTest, SaysWhereItIsWhenItCannotSee) {
  metrics_.fail_call = 3;
  const auto outcome = Run();
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().message, HasSubstr("10% of the invokes go to version 2"));
}

TEST_F(RolloutTest, LeavesAnAliasThatSomebodyElseMoves) {
  options_.steps = {10, 100};
  const auto outcome = Rollout(
      lambda_, metrics_, clock_, options_,
      [this](std::string_view line) {
        if (line.contains("watching")) aws_.aliases["live"]["RevisionId"] = "theirs";
      },
      [] { return false; });
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::kAlreadyExists);
  EXPECT_THAT(outcome.error().message, HasSubstr("somebody else"));
}

TEST_F(RolloutTest, RefusesWhatDoesNotExist) {
  options_.alias = "none";
  EXPECT_EQ(Run().error().code, ErrorCode::kNotFound);
  options_.alias = "live";
  options_.to = "9";
  EXPECT_EQ(Run().error().code, ErrorCode::kNotFound);
}

TEST_F(RolloutTest, WaitsForInvokesOfTheNewVersion) {
  metrics_.figures["2"].invocations = 3;
  options_.min_invocations = 4;
  options_.steps = {10, 100};
  const auto outcome = Rollout(
      lambda_, metrics_, clock_, options_, [](std::string_view) {},
      [&] {
        if (metrics_.calls == 24) metrics_.figures["2"].invocations = 4;
        return false;
      });
  ASSERT_TRUE(outcome);
  EXPECT_EQ(metrics_.calls, 30);
}

TEST(ParseAbortRule, TakesFiguresAndUnits) {
  EXPECT_EQ(ParseAbortRule("errors>0.5%")->limit, 0.5);
  EXPECT_EQ(ParseAbortRule("p99 > 250ms")->unit, AbortRule::Unit::kMilliseconds);
  for (const char* text :
       {"", "errors", "errors > x", "p99 > 5%", "errors > 5ms", "p42 > 1x", "p99 > -1x"}) {
    EXPECT_FALSE(ParseAbortRule(text)) << text;
  }
  EXPECT_FALSE(ParseSteps("10,5,100"));
  EXPECT_FALSE(ParseSteps("10,50"));
  EXPECT_FALSE(ParseSteps("10,,100"));
  EXPECT_THAT(ParseSteps("1,100").value(), ElementsAre(1, 100));
  EXPECT_EQ(ParseDuration("1.5m").value(), std::chrono::seconds(90));
  for (const char* text : {"", "5", "m", "-1s", "1e9h"}) EXPECT_FALSE(ParseDuration(text)) << text;
}

TEST_F(RolloutTest, SaysThatItCouldNotGoBack) {
  metrics_.figures["2"].errors = 2;
  metrics_.before_answer = [this] {
    aws_.fail_action["lambda:UpdateAlias"] = Error{ErrorCode::kUnavailable, "no route"};
  };
  const auto outcome = Run();
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().message,
              AllOf(HasSubstr("no route"), HasSubstr("10% of the invokes go to version 2"),
                    HasSubstr("a rule is broken"), HasSubstr("kelvin rollback f")));
}

// Answers with a text, and keeps what was asked.
class OneAnswer final : public Api {
 public:
  std::string text;
  ApiCall asked;
  std::expected<std::string, Error> Send(const ApiCall& call) override {
    asked = call;
    return text;
  }
};

TEST(CloudWatchMetrics, AsksByVersionAndJoinsMinutes) {
  OneAnswer api;
  const FakeClock clock;
  const auto values = [](std::string_view id, std::string_view members) {
    return fmt::format("<member><Id>{}</Id><Values>{}</Values></member>", id, members);
  };
  api.text = values("invocations", "<member>30.0</member><member>10.0</member>") +
             values("errors", "<member>1.0</member><member>1.0</member>") +
             values("count", "<member>30.0</member><member>10.0</member>") +
             values("mean", "<member>2.0</member><member>6.0</member>") +
             values("p50", "<member>1.0</member><member>1.0</member>") +
             values("p99", "<member>10.0</member><member>50.0</member>");
  const auto figures = CloudWatchMetrics(api, clock)
                           ->Since("f", "live", "7", clock.WallNow() - std::chrono::minutes(2));
  ASSERT_TRUE(figures) << figures.error().message;
  EXPECT_EQ(figures->invocations, 40U);
  EXPECT_EQ(figures->errors, 2U);
  EXPECT_EQ(figures->mean_ms, 3);
  EXPECT_EQ(figures->p99_ms, 20);
  EXPECT_EQ(api.asked.service, "monitoring");
  EXPECT_EQ(api.asked.action, "cloudwatch:GetMetricData");
  EXPECT_THAT(api.asked.body, AllOf(HasSubstr("StartTime=2023-11-14T22%3A11"),
                                    HasSubstr("Value=f%3Alive"), HasSubstr("Name=ExecutedVersion"),
                                    HasSubstr("Value=7"), HasSubstr("MetricStat.Period=60")));
  api.text = "<GetMetricDataResponse/>";
  EXPECT_EQ(CloudWatchMetrics(api, clock)->Since("f", "live", "7", clock.WallNow())->invocations,
            0U);
}

TEST(MetricValues, ReadsTheRightResult) {
  constexpr std::string_view kXml =
      "<MetricDataResults><member><Id>p99</Id><Values><member>12.5</member></Values></member>"
      "<member><Id>errors</Id><Values><member>2.0</member><member>3.0</member></Values></member>"
      "<member><Id>none</Id><Values/></member></MetricDataResults>";
  EXPECT_THAT(MetricValues(kXml, "errors"), ElementsAre(2.0, 3.0));
  EXPECT_THAT(MetricValues(kXml, "p99"), ElementsAre(12.5));
  EXPECT_TRUE(MetricValues(kXml, "none").empty());
  EXPECT_TRUE(MetricValues(kXml, "other").empty());
}

}  // namespace
}  // namespace kelvin::deploy
