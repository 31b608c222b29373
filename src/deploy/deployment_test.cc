#include "deploy/deployment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/fake_clock.h"
#include "deploy/fake_aws.h"

namespace kelvin::deploy {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// The fake's digest of a code.
boost::json::value Sha(const std::string& code) {
  return boost::json::value(boost::json::string(Base64Encode(code)));
}

class DeployTest : public ::testing::Test {
 protected:
  DeployTest() : lambda_(aws_) {
    request_.spec.name = "f";
    request_.spec.environment = {{"A", "1"}};
    request_.place = Place::kLocal;
    SetCode("one");
  }
  void SetCode(const std::string& code) {
    request_.package = {.zip = code, .sha256 = Base64Encode(code)};
  }
  std::expected<DeployOutcome, Error> Deploy() {
    done_.clear();
    auto plan = MakePlan(lambda_, request_);
    if (!plan) return std::unexpected(plan.error());
    changes_ = plan->changes;
    return Apply(aws_, lambda_, clock_, request_, *plan, done_);
  }
  std::string AliasVersion() {
    return std::string(aws_.aliases["live"]["FunctionVersion"].as_string());
  }

  FakeAws aws_;
  Lambda lambda_;
  FakeClock clock_;
  DeployRequest request_;
  std::vector<std::string> done_;
  std::vector<Change> changes_;
};

TEST_F(DeployTest, CreatesPublishesAndPointsTheAlias) {
  const auto outcome = Deploy();
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->version, "1");
  EXPECT_EQ(AliasVersion(), "1");
  EXPECT_THAT(done_, ElementsAre("created function f", "published version 1",
                                 "created alias live at version 1"));
}

TEST_F(DeployTest, DoesNothingTheSecondTime) {
  ASSERT_TRUE(Deploy());
  aws_.calls.clear();
  ASSERT_TRUE(Deploy());
  EXPECT_THAT(changes_, IsEmpty());
  EXPECT_THAT(aws_.Writes(), IsEmpty());
}

TEST_F(DeployTest, MergesTheEnvironmentAndNamesEachDifference) {
  ASSERT_TRUE(Deploy());
  aws_.configuration["Environment"].as_object()["Variables"].as_object()["THEIRS"] = "kept";
  request_.spec.environment["A"] = "2";
  request_.spec.memory_mb = 256;
  ASSERT_TRUE(Deploy());
  const auto& variables = aws_.configuration["Environment"].at("Variables").as_object();
  EXPECT_EQ(variables.at("THEIRS"), "kept");
  EXPECT_EQ(variables.at("A"), "2");
  std::vector<std::string> what;
  for (const Change& change : changes_)
    what.push_back(change.what + ":" + change.from + ">" + change.to);
  EXPECT_THAT(what, ElementsAre("memory:128 MB>256 MB", "environment A:1>2"));
  EXPECT_EQ(AliasVersion(), "2");
}

TEST_F(DeployTest, IsRefusedWhenSomebodyElseChangesTheFunctionMeanwhile) {
  ASSERT_TRUE(Deploy());
  SetCode("two");
  auto plan = MakePlan(lambda_, request_);
  ASSERT_TRUE(plan);
  aws_.Touch();
  const auto outcome = Apply(aws_, lambda_, clock_, request_, *plan, done_);
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().message, HasSubstr("somebody else"));
  EXPECT_EQ(AliasVersion(), "1");
}

TEST_F(DeployTest, GoesOnAfterANetworkLossAtAnyStep) {
  for (int step = 1; step < 30; ++step) {
    aws_ = FakeAws();
    SetCode("one");
    ASSERT_TRUE(Deploy());
    SetCode("two");
    request_.spec.memory_mb = 512;
    request_.url_auth = "NONE";
    request_.spec.tags = {{"team", "x"}};
    aws_.calls.clear();
    aws_.fail_call = step;
    const auto first = Deploy();
    const bool failed = !first;
    aws_.fail_call = 0;
    const auto second = Deploy();
    ASSERT_TRUE(second) << "after a loss at call " << step << ": " << second.error().message;
    EXPECT_EQ(aws_.configuration["CodeSha256"], Sha("two")) << step;
    const std::string version = AliasVersion();
    EXPECT_EQ(aws_.versions[version]["CodeSha256"], Sha("two")) << step;
    EXPECT_EQ(aws_.versions[version]["MemorySize"], 512) << step;
    EXPECT_EQ(aws_.tags["team"], "x") << step;
    EXPECT_EQ(aws_.url_auth, "NONE") << step;
    ASSERT_TRUE(Deploy());
    EXPECT_THAT(changes_, IsEmpty()) << step;
    request_.url_auth.reset();
    request_.spec.tags.clear();
    request_.spec.memory_mb = 128;
    if (!failed) return;  // every call has failed once
  }
  FAIL() << "deploying takes more calls than were tried";
}

TEST_F(DeployTest, GoesOnWithACreationThatWasInterrupted) {
  request_.place = Place::kAws;
  for (int step = 2; step < 20; ++step) {
    aws_ = FakeAws();
    aws_.fail_call = step;
    const auto first = Deploy();
    aws_.fail_call = 0;
    ASSERT_TRUE(Deploy()) << step;
    EXPECT_EQ(AliasVersion(), "1") << step;
    EXPECT_TRUE(aws_.role);
    if (first) return;
  }
  FAIL();
}

TEST_F(DeployTest, WaitsUntilANewRoleCanBeAssumed) {
  request_.place = Place::kAws;
  aws_.fail_action["lambda:CreateFunction"] =
      Error{ErrorCode::kInvalidArgument,
            "The role defined for the function cannot be assumed by Lambda."};
  const auto before = clock_.Now();
  EXPECT_FALSE(Deploy());
  EXPECT_GE(clock_.Now() - before, std::chrono::seconds(60));
  EXPECT_GT(std::ranges::count(aws_.calls, "lambda:CreateFunction"), 10);
}

TEST_F(DeployTest, AsksForABucketForLargePackages) {
  request_.place = Place::kAws;
  request_.spec.role = "arn:aws:iam::1:role/r";
  SetCode(std::string(50'000'001, 'x'));
  const auto outcome = Deploy();
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().message, HasSubstr("--bucket"));
  request_.bucket = "b";
  ASSERT_TRUE(Deploy());
  EXPECT_THAT(aws_.calls, Contains("s3:PutObject"));
}

TEST_F(DeployTest, LeavesARolloutThatIsUnderWay) {
  ASSERT_TRUE(Deploy());
  aws_.aliases["live"]["RoutingConfig"] = {{"AdditionalVersionWeights", {{"2", 0.1}}}};
  SetCode("two");
  const auto outcome = Deploy();
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().message, HasSubstr("rollout to version 2"));
}

TEST_F(DeployTest, LeavesTheAliasForARollout) {
  ASSERT_TRUE(Deploy());
  request_.alias_move = AliasMove::kLeave;
  SetCode("two");
  EXPECT_EQ(Deploy()->version, "2");
  EXPECT_EQ(AliasVersion(), "1");
  ASSERT_TRUE(Deploy());
  EXPECT_THAT(changes_, IsEmpty());
  request_.alias_move = AliasMove::kMove;
  ASSERT_TRUE(Deploy());
  EXPECT_NE(AliasVersion(), "1");
}

TEST_F(DeployTest, RollsBackToTheVersionBefore) {
  ASSERT_TRUE(Deploy());
  SetCode("two");
  ASSERT_TRUE(Deploy());
  EXPECT_EQ(Rollback(lambda_, "f", "live", std::nullopt).value(), "1");
  EXPECT_EQ(AliasVersion(), "1");
  EXPECT_EQ(Rollback(lambda_, "f", "live", std::nullopt).value(), "2") << "and back again";
  EXPECT_EQ(Rollback(lambda_, "f", "live", "1").value(), "1");
  EXPECT_EQ(Rollback(lambda_, "f", "none", std::nullopt).error().code, ErrorCode::kNotFound);
}

TEST_F(DeployTest, DestroysWhatItMadeAndMayBeRepeated) {
  request_.place = Place::kAws;
  request_.url_auth = "NONE";
  ASSERT_TRUE(Deploy());
  for (int i = 0; i < 2; ++i) {
    done_.clear();
    ASSERT_TRUE(Destroy(aws_, lambda_, "f", "live", Place::kAws, done_));
  }
  EXPECT_FALSE(aws_.exists);
  EXPECT_FALSE(aws_.role);
  EXPECT_THAT(done_, IsEmpty());
}

}  // namespace
}  // namespace kelvin::deploy
