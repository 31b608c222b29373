#include "runtime/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/test_support.h"

namespace kelvin::runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class ApiTest : public ::testing::Test {
 protected:
  Api api_{connector_, {"127.0.0.1", 9001}};
  http::FakeConnector connector_;
  void Script(std::vector<http::FakeConnector::Step> reads, int fail_write_number = 0) {
    connector_.AddConnection({std::move(reads), fail_write_number});
  }
};

TEST_F(ApiTest, ReadsAllThatLambdaSaysAboutAnInvocation) {
  Script({Event("r-1", R"({"a":1})",
                "Lambda-Runtime-Deadline-Ms: 1700000003000\r\n"
                "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-west-1:1:function:f\r\n"
                "Lambda-Runtime-Trace-Id: Root=1-2;Sampled=1\r\n"
                "Lambda-Runtime-Client-Context: {\"client\":{}}\r\n"
                "Lambda-Runtime-Cognito-Identity: "
                "{\"cognitoIdentityId\":\"id-7\",\"cognitoIdentityPoolId\":\"pool-8\"}\r\n"
                "Lambda-Runtime-Aws-Tenant-Id: tenant-9\r\n")});
  const auto invocation = api_.Next();
  ASSERT_TRUE(invocation) << invocation.error().message;
  EXPECT_EQ(invocation->payload, R"({"a":1})");
  const InvocationInfo& info = invocation->info;
  EXPECT_EQ(info.request_id, "r-1");
  EXPECT_EQ(info.invoked_function_arn, "arn:aws:lambda:eu-west-1:1:function:f");
  EXPECT_EQ(info.deadline.time_since_epoch(), std::chrono::milliseconds(1700000003000));
  EXPECT_EQ(info.trace_id, "Root=1-2;Sampled=1");
  EXPECT_EQ(info.client_context, R"({"client":{}})");
  EXPECT_EQ(info.cognito_identity_id, "id-7");
  EXPECT_EQ(info.cognito_identity_pool_id, "pool-8");
  EXPECT_EQ(info.tenant_id, "tenant-9");
  EXPECT_THAT(connector_.written()[0],
              StartsWith("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n"));
}

TEST_F(ApiTest, LeavesEmptyWhatLambdaDoesNotSay) {
  Script({Event("r-1", "{}")});
  const auto invocation = api_.Next();
  ASSERT_TRUE(invocation);
  EXPECT_EQ(invocation->info.trace_id, "");
  EXPECT_EQ(invocation->info.cognito_identity_id, "");
  EXPECT_EQ(invocation->info.deadline, InvocationInfo::kNoDeadline);
}

TEST_F(ApiTest, TakesADeadlineThatIsNoTimeForNone) {
  for (const std::string text : {"soon", "-1", "17e9", "99999999999999999", ""}) {
    Api api(connector_, {"127.0.0.1", 9001});
    Script({Event("r-1", "{}", "Lambda-Runtime-Deadline-Ms: " + text + "\r\n")});
    const auto invocation = api.Next();
    ASSERT_TRUE(invocation) << text;
    EXPECT_EQ(invocation->info.deadline, InvocationInfo::kNoDeadline) << text;
  }
}

TEST_F(ApiTest, TakesABrokenCognitoIdentityForNone) {
  for (const std::string text : {"{", R"({"cognitoIdentityId")", R"({"cognitoIdentityId":7})",
                                 R"({"cognitoIdentityId":"x)"}) {
    Api api(connector_, {"127.0.0.1", 9001});
    Script({Event("r-1", "{}", "Lambda-Runtime-Cognito-Identity: " + text + "\r\n")});
    const auto invocation = api.Next();
    ASSERT_TRUE(invocation) << text;
    EXPECT_EQ(invocation->info.cognito_identity_id, "") << text;
  }
}

TEST_F(ApiTest, RefusesAnInvocationWithoutARequestId) {
  Script({Answer(200, "{}")});
  const auto invocation = api_.Next();
  ASSERT_FALSE(invocation);
  EXPECT_EQ(invocation.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(invocation.error().message, HasSubstr("Lambda-Runtime-Aws-Request-Id"));
}

TEST_F(ApiTest, TellsTheKindsOfRefusalApart) {
  const std::pair<int, ErrorCode> kinds[] = {{400, ErrorCode::kInvalidArgument},
                                             {403, ErrorCode::kPermissionDenied},
                                             {413, ErrorCode::kResourceExhausted},
                                             {500, ErrorCode::kInternal},
                                             {404, ErrorCode::kCorrupt}};
  for (const auto& [status, code] : kinds) {
    Api api(connector_, {"127.0.0.1", 9001});
    Script({Answer(status, R"({"errorType":"Why"})")});
    const auto posted = api.PostResponse("r-1", "{}");
    ASSERT_FALSE(posted);
    EXPECT_EQ(posted.error().code, code);
    EXPECT_EQ(posted.error().message,
              "the Runtime API answered " + std::to_string(status) +
                  " to /2018-06-01/runtime/invocation/r-1/response: {\"errorType\":\"Why\"}");
  }
}

TEST_F(ApiTest, PostsAnErrorWithItsTypeInTheHeader) {
  Script({Accepted()});
  ASSERT_TRUE(api_.PostError("r-1", {"Function.Broken", R"({"errorType":"X"})"}));
  const std::string& sent = connector_.written()[0];
  EXPECT_THAT(sent, StartsWith("POST /2018-06-01/runtime/invocation/r-1/error HTTP/1.1\r\n"));
  EXPECT_THAT(sent, HasSubstr("Lambda-Runtime-Function-Error-Type: Function.Broken\r\n"));
  EXPECT_THAT(sent, HasSubstr("\r\n\r\n{\"errorType\":\"X\"}"));
}

TEST_F(ApiTest, PostsAnInitErrorToItsOwnPlace) {
  Script({Accepted()});
  ASSERT_TRUE(api_.PostInitError({"Runtime.InitError", "{}"}));
  EXPECT_THAT(connector_.written()[0], StartsWith("POST /2018-06-01/runtime/init/error "));
}

TEST_F(ApiTest, ConnectsAgainWhenTheKeptConnectionWasDropped) {
  Script({Event("r-1", "1"), std::string()});
  Script({Accepted()});
  ASSERT_TRUE(api_.Next());
  EXPECT_TRUE(api_.PostResponse("r-1", "2"));
  EXPECT_EQ(connector_.written().size(), 2U);
}

TEST_F(ApiTest, SaysSoWhenAWriteFails) {
  Script({}, 1);
  EXPECT_FALSE(api_.Next());
}

}  // namespace
}  // namespace kelvin::runtime
