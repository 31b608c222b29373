#include "service/access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/sigv4.h"

namespace kelvin::service {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

const Clock::WallTime kNow{std::chrono::sys_days(std::chrono::January / 2 / 2026) + 3h};

http::Request Plain() {
  return {"POST",
          "/2015-03-31/functions/f/invocations?Qualifier=1",
          {{"Host", "127.0.0.1:9001"}},
          "{}"};
}

http::Request Signed(Clock::WallTime at = kNow, std::string secret = "secret") {
  http::Request request = Plain();
  aws::Signer signer({"key", std::move(secret), ""}, "us-east-1", "lambda");
  signer.Sign(request.method, request.target, request.body, at, request.headers);
  return request;
}

AccessRules WithCredentials() {
  return {{{"other", "x", ""}, {"key", "secret", ""}}};
}

std::string RefusalOf(const AccessRules& rules, const http::Request& request) {
  const auto refusal = Refuse(rules, request, Audience::kApi, kNow);
  return refusal ? std::string(refusal->headers.Get("x-amzn-ErrorType")) : "";
}

TEST(Access, RefusesForeignHostsAndOrigins) {
  EXPECT_EQ(RefusalOf({}, Plain()), "");
  auto rebound = Plain();
  rebound.headers.Set("Host", "evil.example:9001");
  EXPECT_EQ(RefusalOf({}, rebound), "AccessDeniedException");
  auto page = Plain();
  page.headers.Add("Origin", "https://evil.example");
  EXPECT_EQ(RefusalOf({}, page), "AccessDeniedException");
  EXPECT_FALSE(Refuse({}, page, Audience::kFunctionUrl, kNow));
  page.headers.Set("Origin", "null");
  EXPECT_EQ(RefusalOf({}, page), "AccessDeniedException");
  page.headers.Set("Origin", "http://localhost:3000");
  EXPECT_EQ(RefusalOf({}, page), "");
}

TEST(Access, TakesAValidSignature) {
  EXPECT_EQ(RefusalOf(WithCredentials(), Signed()), "");
  EXPECT_EQ(RefusalOf(WithCredentials(), Signed(kNow - 4min)), "");
  EXPECT_EQ(RefusalOf(WithCredentials(), Signed(kNow + 4min)), "");
}

TEST(Access, RefusesTheOthers) {
  const AccessRules rules = WithCredentials();
  EXPECT_EQ(RefusalOf(rules, Plain()), "MissingAuthenticationTokenException");
  EXPECT_EQ(RefusalOf(rules, Signed(kNow, "wrong")), "InvalidSignatureException");
  EXPECT_EQ(RefusalOf(rules, Signed(kNow - 6min)), "InvalidSignatureException");
  EXPECT_EQ(RefusalOf(rules, Signed(kNow + 6min)), "InvalidSignatureException");
  auto changed = Signed();
  changed.body = "{\"a\":1}";
  EXPECT_EQ(RefusalOf(rules, changed), "InvalidSignatureException");
  changed = Signed();
  changed.target = "/2015-03-31/functions/g/invocations";
  EXPECT_EQ(RefusalOf(rules, changed), "InvalidSignatureException");
  EXPECT_EQ(RefusalOf({{{"other", "x", ""}}}, Signed()), "UnrecognizedClientException");
  for (const char* header : {"Basic x", "AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256 Credential=a/b",
                             "AWS4-HMAC-SHA256 Credential=key/20260102/r/s/aws4_request, "
                             "SignedHeaders=x-amz-date, Signature=00"}) {
    auto bad = Signed();
    bad.headers.Set("Authorization", header);
    EXPECT_EQ(RefusalOf(rules, bad), "IncompleteSignatureException") << header;
  }
}

}  // namespace
}  // namespace kelvin::service
