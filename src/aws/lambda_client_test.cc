#include "aws/lambda_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/testing.h"
#include "base/encoding.h"
#include "base/fake_clock.h"

namespace kelvin::aws {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr std::string_view kConfiguration =
    R"({"FunctionName":"f","FunctionArn":"arn:aws:lambda:us-east-1:1:function:f",)"
    R"("Runtime":"provided.al2023","Architectures":["arm64"],"CodeSha256":"abc=","CodeSize":1234,)"
    R"("MemorySize":256,"Timeout":9,"State":"Active","LastUpdateStatus":"Successful",)"
    R"("StateReason":"why","Description":"d","Environment":{"Variables":{"A":"1"}}})";

class LambdaClientTest : public ::testing::Test {
 protected:
  FakeClock clock_;
  CountingRandom random_;
  http::FakeConnector network_;
  std::unique_ptr<LambdaClient> client_ =
      NewLambdaClient({.endpoint = {Scheme::kHttp, {"127.0.0.1", 9001}, "/prefix"},
                       .region = "us-east-1",
                       .credentials = {"id", "secret", ""},
                       .retry = {.max_attempts = 3}},
                      network_, clock_, random_);
};

TEST_F(LambdaClientTest, GetsAFunctionWithItsTags) {
  AddAnswers(network_, {Answer("200 OK", fmt::format(R"({{"Configuration":{},"Code":{{}},)"
                                                     R"("Tags":{{"kelvin:mode":"aot"}}}})",
                                                     kConfiguration))});
  const auto function = client_->GetFunction("arn:aws:lambda:us-east-1:1:function:f");
  ASSERT_TRUE(function.has_value()) << function.error().message;
  EXPECT_EQ(function->name, "f");
  EXPECT_EQ(function->architecture, "arm64");
  EXPECT_EQ(function->code_sha256, "abc=");
  EXPECT_EQ(function->code_size, 1234U);
  EXPECT_EQ(function->memory_mb, 256);
  EXPECT_EQ(function->timeout_seconds, 9);
  EXPECT_EQ(function->state, "Active");
  EXPECT_EQ(function->last_update_status, "Successful");
  EXPECT_EQ(function->state_reason, "why");
  EXPECT_EQ(function->description, "d");
  EXPECT_EQ(function->environment.at("A"), "1");
  EXPECT_EQ(function->tags.at("kelvin:mode"), "aot");
  EXPECT_THAT(network_.written().at(0),
              AllOf(StartsWith("GET /prefix/2015-03-31/functions/"
                               "arn%3Aaws%3Alambda%3Aus-east-1%3A1%3Afunction%3Af HTTP/1.1\r\n"),
                    HasSubstr("/us-east-1/lambda/aws4_request, SignedHeaders=host;x-amz-date,")));
}

TEST_F(LambdaClientTest, CreatesAFunctionFromAZip) {
  AddAnswers(network_, {Answer("201 Created", kConfiguration)});
  CreateFunctionInput input;
  input.name = "f";
  input.zip = "PK";
  input.environment = {{"A", "1"}};
  const auto function = client_->CreateFunction(input);
  ASSERT_TRUE(function.has_value()) << function.error().message;
  EXPECT_EQ(function->name, "f");
  EXPECT_THAT(network_.written().at(0),
              AllOf(StartsWith("POST /prefix/2015-03-31/functions HTTP/1.1\r\n"),
                    HasSubstr(R"("FunctionName":"f")"), HasSubstr(R"("MemorySize":128)"),
                    HasSubstr(R"("Architectures":["x86_64"])"),
                    HasSubstr(R"("Environment":{"Variables":{"A":"1"}})"),
                    HasSubstr(R"("Code":{"ZipFile":"UEs="})")));
}

TEST_F(LambdaClientTest, PublishesALayerAndAttachesIt) {
  AddAnswers(network_, {Answer("201 Created", R"({"LayerVersionArn":"arn:layer:1","Version":1})"),
                        Answer("201 Created", kConfiguration), Answer("201 Created", "{}")});
  const auto arn = client_->PublishLayer("engine", "PK");
  ASSERT_TRUE(arn.has_value()) << arn.error().message;
  EXPECT_EQ(*arn, "arn:layer:1");
  EXPECT_THAT(network_.written().at(0),
              AllOf(StartsWith("POST /prefix/2018-10-31/layers/engine/versions HTTP/1.1\r\n"),
                    HasSubstr(R"({"Content":{"ZipFile":"UEs="}})")));
  CreateFunctionInput input;
  input.name = "f";
  input.layers = {*arn};
  ASSERT_TRUE(client_->CreateFunction(input).has_value());
  EXPECT_THAT(network_.written().at(0), HasSubstr(R"("Layers":["arn:layer:1"])"));
  EXPECT_FALSE(client_->PublishLayer("engine", "PK").has_value());
}

TEST_F(LambdaClientTest, ChangesOnlyWhatIsGiven) {
  AddAnswers(network_, {Answer("200 OK", kConfiguration)});
  const auto function = client_->UpdateConfiguration(
      "f", {.memory_mb = 512, .description = std::nullopt, .environment = std::nullopt});
  ASSERT_TRUE(function.has_value()) << function.error().message;
  EXPECT_THAT(network_.written().at(0),
              AllOf(StartsWith("PUT /prefix/2015-03-31/functions/f/configuration HTTP/1.1\r\n"),
                    EndsWith("\r\n\r\n{\"MemorySize\":512}")));
}

TEST_F(LambdaClientTest, DeletesAFunction) {
  AddAnswers(network_, {"HTTP/1.1 204 No Content\r\n\r\n"});
  EXPECT_TRUE(client_->DeleteFunction("f").has_value());
  EXPECT_THAT(network_.written().at(0), StartsWith("DELETE /prefix/2015-03-31/functions/f HTTP"));
}

TEST_F(LambdaClientTest, ListsEveryPage) {
  AddAnswers(network_,
             {Answer("200 OK", R"({"Functions":[{"FunctionName":"a"}],"NextMarker":"m/1"})"),
              Answer("200 OK", R"({"Functions":[{"FunctionName":"b"}],"NextMarker":null})")});
  const auto functions = client_->ListFunctions();
  ASSERT_TRUE(functions.has_value()) << functions.error().message;
  ASSERT_THAT(*functions, SizeIs(2));
  EXPECT_EQ((*functions)[1].name, "b");
  EXPECT_THAT(network_.written().at(0), HasSubstr("?MaxItems=50&Marker=m%2F1 HTTP/1.1"));
}

TEST_F(LambdaClientTest, StopsAtAListThatNeverEnds) {
  AddAnswers(network_, std::vector<std::string>(
                           3, Answer("200 OK", R"({"Functions":[],"NextMarker":"same"})")));
  const auto functions = client_->ListFunctions();
  ASSERT_FALSE(functions.has_value());
  EXPECT_EQ(functions.error().code, ErrorCode::kCorrupt);
}

TEST_F(LambdaClientTest, InvokesWithTheLogsTail) {
  AddAnswers(network_, {Answer("200 OK", R"({"ok":true})",
                               "X-Amz-Log-Result: " + Base64Encode("REPORT ...\n") +
                                   "\r\nx-amzn-RequestId: r-1\r\n"
                                   "X-Amz-Executed-Version: $LATEST\r\n")});
  const auto result = client_->Invoke("f", "{\"a\":1}", LogType::kTail);
  ASSERT_TRUE(result.has_value()) << result.error().message;
  EXPECT_EQ(result->status, 200);
  EXPECT_EQ(result->payload, R"({"ok":true})");
  EXPECT_EQ(result->log_tail, "REPORT ...\n");
  EXPECT_EQ(result->request_id, "r-1");
  EXPECT_EQ(result->executed_version, "$LATEST");
  EXPECT_EQ(result->function_error, "");
  EXPECT_THAT(network_.written().at(0),
              AllOf(StartsWith("POST /prefix/2015-03-31/functions/f/invocations HTTP/1.1\r\n"),
                    HasSubstr("\r\nX-Amz-Invocation-Type: RequestResponse\r\n"),
                    HasSubstr("\r\nX-Amz-Log-Type: Tail\r\n"), EndsWith("\r\n\r\n{\"a\":1}")));
}

TEST_F(LambdaClientTest, GivesAFunctionsOwnFailureAsAResult) {
  AddAnswers(network_,
             {Answer("200 OK", R"({"errorType":"E"})", "X-Amz-Function-Error: Unhandled\r\n")});
  const auto result = client_->Invoke("f", "{}", LogType::kNone);
  ASSERT_TRUE(result.has_value()) << result.error().message;
  EXPECT_EQ(result->function_error, "Unhandled");
  EXPECT_EQ(result->log_tail, "");
}

TEST_F(LambdaClientTest, RefusesALogTailThatIsNotBase64) {
  AddAnswers(network_, {Answer("200 OK", "{}", "X-Amz-Log-Result: *\r\n")});
  const auto result = client_->Invoke("f", "{}", LogType::kTail);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::kCorrupt);
}

TEST_F(LambdaClientTest, NeverSendsAnInvokeTwice) {
  AddAnswers(network_, {Answer("500 Internal Server Error", "{}"), Answer("200 OK", "{}")});
  EXPECT_FALSE(client_->Invoke("f", "{}", LogType::kNone).has_value());
  network_.AddConnection({.reads = {std::string()}});
  AddAnswers(network_, {Answer("200 OK", "{}")});
  clock_.Advance(std::chrono::minutes(1));
  const auto lost = client_->Invoke("f", "{}", LogType::kNone);
  ASSERT_FALSE(lost.has_value());
  EXPECT_EQ(lost.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(network_.written(), SizeIs(2));
}

TEST_F(LambdaClientTest, InvokesOverANewConnectionAfterALongPause) {
  AddAnswers(network_, {Answer("200 OK", "1"), Answer("200 OK", "2")});
  AddAnswers(network_, {Answer("200 OK", "3")});
  EXPECT_EQ(client_->Invoke("f", "{}", LogType::kNone)->payload, "1");
  EXPECT_EQ(client_->Invoke("f", "{}", LogType::kNone)->payload, "2");
  clock_.Advance(std::chrono::seconds(10));
  EXPECT_EQ(client_->Invoke("f", "{}", LogType::kNone)->payload, "3");
}

TEST_F(LambdaClientTest, MapsLambdasErrors) {
  struct Case {
    std::string_view status;
    std::string_view name;
    ErrorCode code;
  };
  for (const Case& one : std::initializer_list<Case>{
           {"404 Not Found", "ResourceNotFoundException", ErrorCode::kNotFound},
           {"409 Conflict", "ResourceConflictException", ErrorCode::kAlreadyExists},
           {"400 Bad Request", "InvalidParameterValueException", ErrorCode::kInvalidArgument},
           {"413 Too Large", "RequestEntityTooLargeException", ErrorCode::kResourceExhausted},
           {"403 Forbidden", "AccessDeniedException", ErrorCode::kPermissionDenied},
           {"429 Too Many", "TooManyRequestsException", ErrorCode::kThrottled},
           {"502 Bad Gateway", "InvalidRuntimeException", ErrorCode::kUnavailable}}) {
    AddAnswers(
        network_,
        {Answer(one.status, R"({"Type":"User","Message":"said so"})",
                fmt::format("Connection: close\r\nx-amzn-ErrorType: {}:http://x/\r\n", one.name))});
    const auto result = client_->Invoke("f", "{}", LogType::kNone);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, one.code) << one.name;
    EXPECT_EQ(result.error().remote_type, one.name);
    EXPECT_THAT(result.error().message, HasSubstr("Lambda Invoke failed: said so"));
  }
}

TEST_F(LambdaClientTest, TriesReadsAgain) {
  AddAnswers(network_, {Answer("503 Service Unavailable", ""), Answer("429 Too Many", "{}"),
                        Answer("200 OK", R"({"Functions":[]})")});
  EXPECT_TRUE(client_->ListFunctions().has_value());
}

TEST_F(LambdaClientTest, CreatesAgainOnlyWhenThrottled) {
  AddAnswers(network_, {Answer("429 Too Many", "{}"), Answer("201 Created", kConfiguration)});
  EXPECT_TRUE(client_->CreateFunction({}).has_value());
  clock_.Advance(std::chrono::minutes(1));
  AddAnswers(network_,
             {Answer("500 Internal Server Error", "{}"), Answer("201 Created", kConfiguration)});
  EXPECT_FALSE(client_->CreateFunction({}).has_value());
}

TEST_F(LambdaClientTest, RefusesAnswersThatAreNotLambdas) {
  for (const std::string_view body :
       {"", "[]", "{}", R"({"Configuration":7})", R"({"Configuration":{"FunctionName":7}})"}) {
    AddAnswers(network_, {Answer("200 OK", body, "Connection: close\r\n")});
    const auto function = client_->GetFunction("f");
    ASSERT_FALSE(function.has_value()) << body;
    EXPECT_EQ(function.error().code, ErrorCode::kCorrupt) << body;
  }
}

TEST(LambdaClientOptions, TakeTheEndpointFromTheCommandLineFirst) {
  const EnvironmentLookup lookup = [](std::string_view name) -> std::optional<std::string> {
    if (name == "AWS_REGION") return "us-east-1";
    if (name == "AWS_ENDPOINT_URL") return "http://127.0.0.1:1";
    return name == "AWS_SESSION_TOKEN" ? std::nullopt : std::optional<std::string>("x");
  };
  const auto options = LambdaClientOptionsFromEnvironment(lookup, "http://127.0.0.1:9001");
  ASSERT_TRUE(options.has_value()) << options.error().message;
  EXPECT_EQ(options->endpoint.address.port, 9001);
}

}  // namespace
}  // namespace kelvin::aws
