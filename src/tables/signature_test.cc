#include "aws/sigv4.h"
#include "tables/tables_fixture.h"

namespace kelvin::tables {
namespace {

using ::testing::HasSubstr;

class Signatures : public ::testing::Test {
 protected:
  Signatures()
      : tables_(TablesOptions{.storage = Storage::kEphemeral,
                              .folder = {},
                              .credentials = {{"ELSE", "other", ""}, {"AKID", "secret", ""}},
                              .background = Background::kNo}) {}

  // The answer to a signed ListTables, changed by `change` after it was signed.
  template <typename Change>
  http::Response Send(aws::Credentials credentials, Change change, std::string region = "us-east-1",
                      std::string service = "dynamodb") {
    http::Request request{"POST",
                          "/",
                          {{"Host", "localhost:9001"},
                           {"X-Amz-Target", "DynamoDB_20120810.ListTables"},
                           {"Content-Type", "application/x-amz-json-1.0"}},
                          "{}"};
    aws::Signer signer(std::move(credentials), std::move(region), std::move(service));
    signer.Sign(request.method, request.target, request.body, tables_.clock().WallNow(),
                request.headers);
    change(request);
    return tables_.tables().Handle(request);
  }
  const aws::Credentials ours_{"AKID", "secret", ""};
  TestTables tables_;
};

TEST_F(Signatures, OfOursAreAccepted) {
  EXPECT_EQ(Send(ours_, [](auto&) {}).status, 200);
}

TEST_F(Signatures, ThatAreWrongAreRefused) {
  const auto body = [&](auto change) { return Send(ours_, change).body; };
  EXPECT_THAT(body([](auto& request) { request.body = "{ }"; }),
              HasSubstr("com.amazon.coral.service#InvalidSignatureException"));
  EXPECT_THAT(body([](auto& request) { request.headers.Set("Host", "elsewhere"); }),
              HasSubstr("InvalidSignatureException"));
  EXPECT_THAT(Send({"AKID", "other", ""}, [](auto&) {}).body,
              HasSubstr("The request signature we calculated does not match"));
  EXPECT_THAT(Send({"OTHER", "secret", ""}, [](auto&) {}).body,
              HasSubstr("UnrecognizedClientException"));
  EXPECT_THAT(Send(
                  ours_, [](auto&) {}, "eu-west-1")
                  .body,
              HasSubstr("Credential should be scoped to a valid region, not 'eu-west-1'."));
  EXPECT_THAT(Send(
                  ours_, [](auto&) {}, "us-east-1", "s3")
                  .body,
              HasSubstr("Credential should be scoped to correct service: 'dynamodb'."));
}

TEST_F(Signatures, OpenTheTablesToEveryNameAndPage) {
  const auto answer =
      Send(ours_, [](auto& request) { request.headers.Add("Origin", "https://page.example"); });
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.Get("Access-Control-Allow-Origin"), "*");
}

TEST_F(Signatures, InAQueryAreNotTaken) {
  EXPECT_THAT(Send(ours_,
                   [](auto& request) {
                     request.target =
                         "/?X-Amz-Algorithm=a&X-Amz-Credential=b&X-Amz-Signature=c&X-Amz-Date=d"
                         "&X-Amz-SignedHeaders=e";
                     http::Headers headers;
                     for (const auto& [name, value] : request.headers) {
                       if (name != "Authorization") headers.Add(name, value);
                     }
                     request.headers = headers;
                   })
                  .body,
              HasSubstr("not supported"));
}

TEST_F(Signatures, AreAskedForInFull) {
  EXPECT_THAT(Send(ours_,
                   [](auto& request) {
                     request.headers.Set("Authorization", "AWS4-HMAC-SHA256 Credential=a");
                   })
                  .body,
              HasSubstr("Authorization header requires 'Signature' parameter. Authorization header "
                        "requires 'SignedHeaders' parameter. "
                        "Authorization=AWS4-HMAC-SHA256 Credential=a"));
  EXPECT_THAT(
      Send(ours_, [](auto& request) { request.headers.Set("Authorization", "Bearer x"); }).body,
      HasSubstr("MissingAuthenticationTokenException"));
  EXPECT_THAT(
      Send(ours_, [](auto& request) { request.headers.Set("X-Amz-Date", "yesterday"); }).body,
      HasSubstr("Date must be in ISO-8601 'basic format'. Got 'yesterday'."));
}

TEST_F(Signatures, ExpireInAQuarterOfAnHour) {
  EXPECT_EQ(Send(ours_, [&](auto&) { tables_.clock().Advance(std::chrono::minutes(15)); }).status,
            200);
  EXPECT_THAT(Send(ours_, [&](auto&) { tables_.clock().Advance(std::chrono::minutes(16)); }).body,
              HasSubstr("Signature expired: "));
}

}  // namespace
}  // namespace kelvin::tables
