#include "deploy/deployment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/fake_clock.h"
#include "deploy/fake_aws.h"
#include "deploy/role.h"

namespace kelvin::deploy {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

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
    auto plan = MakePlan(aws_, lambda_, clock_, request_);
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
  EXPECT_THAT(done_, ElementsAre("created log group /aws/lambda/f", "logs are kept for 14 days",
                                 "created function f", "published version 1",
                                 "created alias live at version 1"));
  EXPECT_FALSE(aws_.role);
}

TEST_F(DeployTest, MakesRoleAndLogGroupOnAws) {
  request_.place = Place::kAws;
  request_.spec.actions = {"dynamodb:GetItem"};
  request_.spec.tables = {"items"};
  ASSERT_TRUE(Deploy());
  EXPECT_TRUE(aws_.role);
  EXPECT_THAT(aws_.role_policy, HasSubstr("dynamodb%3AGetItem"));
  EXPECT_EQ(aws_.log_groups.at("/aws/lambda/f"), 14);
  ASSERT_TRUE(Deploy());
  EXPECT_THAT(changes_, IsEmpty());
}

TEST_F(DeployTest, BringsThePolicyOfItsOwnRoleUpToDate) {
  request_.place = Place::kAws;
  ASSERT_TRUE(Deploy());
  request_.spec.actions = {"dynamodb:PutItem"};
  request_.spec.tables = {"items"};
  aws_.calls.clear();
  ASSERT_TRUE(Deploy());
  EXPECT_THAT(aws_.role_policy, HasSubstr("dynamodb%3APutItem"));
  EXPECT_THAT(aws_.Writes(), ElementsAre("iam:CreateRole", "iam:PutRolePolicy"));
  ASSERT_TRUE(Deploy());
  EXPECT_THAT(changes_, IsEmpty());
  aws_.configuration["Role"] = "arn:aws:iam::1:role/theirs";
  request_.spec.actions.clear();
  ASSERT_TRUE(Deploy());
  EXPECT_THAT(changes_, IsEmpty()) << "another's role stays as it is";
}

TEST_F(DeployTest, KeepsARetentionThatOthersHaveSet) {
  request_.place = Place::kAws;
  aws_.log_groups = {{"/aws/lambda/f", 30}, {"/aws/lambda/f2", 1}};
  ASSERT_TRUE(Deploy());
  EXPECT_EQ(aws_.log_groups.at("/aws/lambda/f"), 30);
  request_.spec.log_retention_days = 7;
  request_.log_retention_given = true;
  ASSERT_TRUE(Deploy());
  EXPECT_EQ(aws_.log_groups.at("/aws/lambda/f"), 7);
  EXPECT_EQ(aws_.log_groups.at("/aws/lambda/f2"), 1);
  request_.log_retention_given = false;
  aws_.log_groups["/aws/lambda/f"] = std::nullopt;
  ASSERT_TRUE(Deploy());
  EXPECT_EQ(aws_.log_groups.at("/aws/lambda/f"), 7) << "for ever is no choice";
}

TEST_F(DeployTest, PublishesALayerOncePerDigest) {
  const auto layer = [](std::string_view name, std::string_view bytes) {
    return LayerSpec{.name = std::string(name),
                     .package = {.zip = std::string(bytes), .sha256 = Base64Encode(bytes)}};
  };
  request_.layers = {layer("kelvin-engine", "e1"), {.arn = "arn:aws:lambda:r:2:layer:theirs:4"}};
  request_.layers_given = true;
  ASSERT_TRUE(Deploy());
  const auto arns = [this] {
    std::vector<std::string> list;
    for (const auto& entry : aws_.configuration["Layers"].as_array()) {
      list.emplace_back(entry.at("Arn").as_string());
    }
    return list;
  };
  const std::string engine = "arn:aws:lambda:us-east-1:1:layer:kelvin-engine:";
  EXPECT_THAT(arns(), ElementsAre(engine + "1", "arn:aws:lambda:r:2:layer:theirs:4"));
  ASSERT_TRUE(Deploy());
  EXPECT_THAT(changes_, IsEmpty());
  request_.layers[0] = layer("kelvin-engine", "e2");
  ASSERT_TRUE(Deploy());
  EXPECT_THAT(changes_[0].to, HasSubstr("kelvin-engine (new version)"));
  EXPECT_EQ(arns()[0], engine + "2");
  request_.layers[0] = layer("kelvin-engine", "e1");
  ASSERT_TRUE(Deploy());
  EXPECT_EQ(arns()[0], engine + "1") << "what was published before is not published again";
  // What others attach stays where no layer was asked for; the engine goes when it is not needed.
  request_.layers.clear();
  request_.layers_given = false;
  ASSERT_TRUE(Deploy());
  EXPECT_THAT(arns(), ElementsAre("arn:aws:lambda:r:2:layer:theirs:4"));
}

TEST_F(DeployTest, LetsAnybodyCallAPublicUrlAndNobodyAnother) {
  request_.url_auth = "NONE";
  ASSERT_TRUE(Deploy());
  ASSERT_THAT(aws_.policy, SizeIs(2));
  EXPECT_EQ(aws_.policy.at("kelvin-url").at("Action"), "lambda:InvokeFunctionUrl");
  EXPECT_EQ(aws_.policy.at("kelvin-url").at("FunctionUrlAuthType"), "NONE");
  EXPECT_EQ(aws_.policy.at("kelvin-url-invoke").at("InvokedViaFunctionUrl"), true);
  ASSERT_TRUE(Deploy());
  EXPECT_THAT(changes_, IsEmpty());
  aws_.policy.erase("kelvin-url-invoke");
  ASSERT_TRUE(Deploy());
  EXPECT_THAT(done_, ElementsAre("added permission kelvin-url-invoke"));
  request_.url_auth = "AWS_IAM";
  const auto outcome = Deploy();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(aws_.url_auth, "AWS_IAM");
  EXPECT_THAT(aws_.policy, IsEmpty());
  EXPECT_THAT(outcome->note, HasSubstr("lambda:InvokeFunctionUrl"));
}

TEST_F(DeployTest, WaitsForAChangeUnderWayBeforeItCompares) {
  ASSERT_TRUE(Deploy());
  aws_.configuration["LastUpdateStatus"] = "InProgress";
  SetCode("two");
  aws_.rests_after = static_cast<int>(aws_.calls.size()) + 4;
  ASSERT_TRUE(Deploy());
  EXPECT_EQ(aws_.versions[AliasVersion()]["CodeSha256"], Sha("two"));
}

TEST_F(DeployTest, DoesNotPublishWhatSomebodyElseChangedMeanwhile) {
  ASSERT_TRUE(Deploy());
  aws_.aliases.erase("live");
  auto plan = MakePlan(aws_, lambda_, clock_, request_);
  ASSERT_TRUE(plan);
  aws_.Touch();
  const auto outcome = Apply(aws_, lambda_, clock_, request_, *plan, done_);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::kAlreadyExists);
  EXPECT_THAT(outcome.error().message, HasSubstr("somebody else"));
}

TEST_F(DeployTest, GivesLongNamesRolesOfTheirOwn) {
  const std::string base(60, 'x');
  EXPECT_EQ(RoleName("f"), "kelvin-f");
  EXPECT_EQ(RoleName(base + "abc").size(), 64U);
  EXPECT_NE(RoleName(base + "abc"), RoleName(base + "abd"));
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
  auto plan = MakePlan(aws_, lambda_, clock_, request_);
  ASSERT_TRUE(plan);
  aws_.Touch();
  const auto outcome = Apply(aws_, lambda_, clock_, request_, *plan, done_);
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().message, HasSubstr("somebody else"));
  EXPECT_EQ(AliasVersion(), "1");
}

// Everything at once, over what an older deployment left.
TEST_F(DeployTest, GoesOnAfterANetworkLossAtAnyStep) {
  for (const bool lost : {false, true}) {
    bool failed = true;
    for (int step = 1; failed; ++step) {
      ASSERT_LT(step, 60) << "deploying takes more calls than were tried";
      aws_ = FakeAws();
      request_ = DeployRequest();
      request_.spec.name = "f";
      SetCode("one");
      ASSERT_TRUE(Deploy());
      SetCode("two");
      request_.spec.memory_mb = 512;
      request_.spec.tags = {{"team", "x"}};
      request_.spec.actions = {"dynamodb:PutItem"};
      request_.spec.tables = {"items"};
      request_.layers = {{.name = "kelvin-engine", .package = {.zip = "e", .sha256 = "ZQ=="}}};
      request_.url_auth = "NONE";
      request_.spec.log_retention_days = 3;
      request_.log_retention_given = true;
      aws_.calls.clear();
      (lost ? aws_.lose_answer : aws_.fail_call) = step;
      const auto first = Deploy();
      failed = !first;
      aws_.lose_answer = aws_.fail_call = 0;
      const auto second = Deploy();
      ASSERT_TRUE(second) << "after a loss at call " << step << ": " << second.error().message;
      EXPECT_EQ(aws_.configuration["CodeSha256"], Sha("two")) << step;
      const std::string version = AliasVersion();
      EXPECT_EQ(aws_.versions[version]["CodeSha256"], Sha("two")) << step;
      EXPECT_EQ(aws_.versions[version]["MemorySize"], 512) << step;
      EXPECT_EQ(aws_.tags["team"], "x") << step;
      EXPECT_EQ(aws_.url_auth, "NONE") << step;
      EXPECT_THAT(aws_.policy, SizeIs(2)) << step;
      EXPECT_THAT(aws_.layers["kelvin-engine"], SizeIs(1)) << step;
      EXPECT_THAT(aws_.role_policy, HasSubstr("PutItem")) << step;
      EXPECT_EQ(aws_.log_groups["/aws/lambda/f"], 3) << step;
      ASSERT_TRUE(Deploy());
      EXPECT_THAT(changes_, IsEmpty()) << step;
    }
  }
}

TEST_F(DeployTest, GoesOnWithACreationThatWasInterrupted) {
  request_.place = Place::kAws;
  request_.layers = {{.name = "kelvin-engine", .package = {.zip = "e", .sha256 = "ZQ=="}}};
  request_.url_auth = "NONE";
  for (const bool lost : {false, true}) {
    bool failed = true;
    for (int step = 1; failed; ++step) {
      ASSERT_LT(step, 60);
      aws_ = FakeAws();
      (lost ? aws_.lose_answer : aws_.fail_call) = step;
      failed = !Deploy();
      aws_.lose_answer = aws_.fail_call = 0;
      ASSERT_TRUE(Deploy()) << step;
      EXPECT_EQ(AliasVersion(), "1") << step;
      EXPECT_TRUE(aws_.role);
      EXPECT_THAT(aws_.role_policy, HasSubstr("PutLogEvents")) << step;
      EXPECT_THAT(aws_.policy, SizeIs(2)) << step;
      EXPECT_THAT(aws_.layers["kelvin-engine"], SizeIs(1)) << step;
      ASSERT_TRUE(Deploy());
      EXPECT_THAT(changes_, IsEmpty()) << step;
    }
  }
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

class UploadTest : public DeployTest {
 protected:
  UploadTest() {
    request_.place = Place::kAws;
    request_.region = "eu-west-1";
    request_.spec.role = "arn:aws:iam::1:role/r";
    request_.sizes = {.direct = 50, .one_put = 100, .part = 17};
    SetCode(std::string(51, 'x'));
  }
  std::string Key() const {
    return "kelvin/f/" + HexEncode(*Base64Decode(request_.package.sha256)) + ".zip";
  }
};

TEST_F(UploadTest, GoesByWayOfTheBucketThatWasNamed) {
  request_.bucket = "b";
  ASSERT_TRUE(Deploy());
  EXPECT_EQ(aws_.objects.at("b/" + Key()).size(), 51U);
  EXPECT_THAT(aws_.buckets, IsEmpty());
  EXPECT_THAT(done_, Contains(HasSubstr("uploaded s3://b/kelvin/f/")));
  EXPECT_EQ(UploadSizes().direct, 50'000'000U);
}

TEST_F(UploadTest, MakesABucketOfItsOwn) {
  ASSERT_TRUE(Deploy());
  const std::string bucket = "kelvin-deploy-123456789012-eu-west-1";
  EXPECT_THAT(aws_.buckets, ElementsAre(bucket));
  EXPECT_TRUE(aws_.objects.contains(bucket + "/" + Key()));
  aws_.exists = false;
  aws_.calls.clear();
  ASSERT_TRUE(Deploy());
  EXPECT_THAT(aws_.calls, Not(Contains("s3:PutObject"))) << "what is there is not sent again";
}

TEST_F(UploadTest, NamesTheBucketThatItMayNotMake) {
  aws_.fail_action["s3:CreateBucket"] =
      Error{ErrorCode::kPermissionDenied, "allow s3:CreateBucket", "AccessDenied"};
  EXPECT_THAT(Deploy().error().message,
              AllOf(HasSubstr("allow s3:CreateBucket"), HasSubstr("kelvin-deploy-123456789012"),
                    HasSubstr("--bucket")));
}

TEST_F(UploadTest, SendsLargeOnesInPartsAndGoesOnWithThose) {
  SetCode(std::string(101, 'x'));
  request_.bucket = "b";
  for (int step = 1; step < 40; ++step) {
    aws_ = FakeAws();
    aws_.fail_call = step;
    const auto first = Deploy();
    const auto sent = std::ranges::count(aws_.calls, "s3:PutObject");
    aws_.fail_call = 0;
    aws_.calls.clear();
    ASSERT_TRUE(Deploy()) << step;
    EXPECT_EQ(aws_.objects.at("b/" + Key()), request_.package.zip) << step;
    EXPECT_THAT(aws_.parts, IsEmpty()) << step;
    if (first) return;
    // Begin, six parts, complete; the one that failed is there twice.
    if (sent > 0) {
      EXPECT_LE(sent + std::ranges::count(aws_.calls, "s3:PutObject"), 9) << step;
    }
  }
  FAIL();
}

TEST_F(UploadTest, SaysHowManyPartsWait) {
  SetCode(std::string(101, 'x'));
  request_.bucket = "b";
  aws_.fail_part = 3;
  ASSERT_FALSE(Deploy());
  EXPECT_THAT(done_, Contains(HasSubstr("uploaded 2 of 6 parts of s3://b/")));
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
