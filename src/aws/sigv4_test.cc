#include "aws/sigv4.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.h"

namespace kelvin::aws {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

const Credentials kExample{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""};
const Clock::WallTime kExampleTime{std::chrono::seconds{1'440'938'160}};  // 20150830T123600Z

// One case of AWS's published signing test suite, by its name there.
struct Vector {
  std::string name;
  std::string method;
  std::string target;
  http::Headers headers;
  std::string body;
  std::string signature;
  PathRule path_rule = PathRule::kNormalize;
  std::string session_token = {};
};

std::ostream& operator<<(std::ostream& out, const Vector& vector) {
  return out << vector.name;
}

std::vector<Vector> Suite();

class SigV4Suite : public ::testing::TestWithParam<Vector> {};

TEST_P(SigV4Suite, GivesThePublishedSignature) {
  const Vector& vector = GetParam();
  http::Headers headers = vector.headers;
  headers.Add("Host", "example.amazonaws.com");
  Credentials credentials = kExample;
  credentials.session_token = vector.session_token;
  Signer signer(credentials, "us-east-1", "service", {.path_rule = vector.path_rule});
  signer.Sign(vector.method, vector.target, vector.body, kExampleTime, headers);
  EXPECT_THAT(std::string(headers.Get("Authorization")), EndsWith("Signature=" + vector.signature));
}

std::string TestName(const ::testing::TestParamInfo<Vector>& vector) {
  std::string name = vector.param.name;
  std::ranges::replace(name, '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Aws, SigV4Suite, ::testing::ValuesIn(Suite()), TestName);

constexpr std::string_view kUnreserved =
    "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kVanilla =
    "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
constexpr std::string_view kSlashes =
    "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84";
constexpr std::string_view kSpace =
    "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741";
constexpr std::string_view kFormHash =
    "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e";

std::vector<Vector> GetCases() {
  const std::string unreserved(kUnreserved);
  return {
      {"get-vanilla", "GET", "/", {}, "", std::string(kVanilla)},
      {"get-relative-relative-normalized",
       "GET",
       "/example1/example2/../..",
       {},
       "",
       std::string(kVanilla)},
      {"get-slash-pointless-dot-normalized",
       "GET",
       "/./example",
       {},
       "",
       "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"},
      {"get-slashes-normalized", "GET", "//example//", {}, "", std::string(kSlashes)},
      {"get-slashes-unnormalized",
       "GET",
       "//example//",
       {},
       "",
       "87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5",
       PathRule::kAsSent},
      {"get-space-normalized", "GET", "/example space/", {}, "", std::string(kSpace)},
      {"get-space-unnormalized",
       "GET",
       "/example space/",
       {},
       "",
       std::string(kSpace),
       PathRule::kAsSent},
      {"get-unreserved",
       "GET",
       "/" + unreserved,
       {},
       "",
       "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
      {"get-utf8",
       "GET",
       "/\u1234",
       {},
       "",
       "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
      {"get-vanilla-empty-query-key",
       "GET",
       "/?Param1=value1",
       {},
       "",
       "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
      {"get-vanilla-query-order-encoded",
       "GET",
       "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
       {},
       "",
       "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"},
      {"get-vanilla-query-order-key-case",
       "GET",
       "/?Param2=value2&Param1=value1",
       {},
       "",
       "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
      {"get-vanilla-query-unreserved",
       "GET",
       "/?" + unreserved + "=" + unreserved,
       {},
       "",
       "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
      {"get-vanilla-utf8-query",
       "GET",
       "/?\u1234=bar",
       {},
       "",
       "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
  };
}

std::vector<Vector> HeaderCases() {
  return {
      {"get-header-key-duplicate",
       "GET",
       "/",
       {{"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}},
       "",
       "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
      {"get-header-value-order",
       "GET",
       "/",
       {{"My-Header1", "value4"},
        {"My-Header1", "value1"},
        {"My-Header1", "value3"},
        {"My-Header1", "value2"}},
       "",
       "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"},
      {"get-header-value-trim",
       "GET",
       "/",
       {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}},
       "",
       "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
      {"post-header-key-sort",
       "POST",
       "/",
       {{"My-Header1", "value1"}},
       "",
       "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
      {"post-header-value-case",
       "POST",
       "/",
       {{"My-Header1", "VALUE1"}},
       "",
       "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"},
  };
}

std::vector<Vector> BodyAndTokenCases() {
  return {
      {"post-vanilla",
       "POST",
       "/",
       {},
       "",
       "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
      {"post-x-www-form-urlencoded",
       "POST",
       "/",
       {{"Content-Type", "application/x-www-form-urlencoded"},
        {"Content-Length", "13"},
        {"x-amz-content-sha256", std::string(kFormHash)}},
       "Param1=value1",
       "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b"},
      {"post-x-www-form-urlencoded-parameters",
       "POST",
       "/",
       {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
        {"Content-Length", "13"},
        {"x-amz-content-sha256", std::string(kFormHash)}},
       "Param1=value1",
       "328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e7344e7f51422"},
      {"get-vanilla-with-session-token",
       "GET",
       "/",
       {},
       "",
       "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
       PathRule::kNormalize,
       "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"},
      {"post-sts-header-before",
       "POST",
       "/",
       {},
       "",
       "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
       PathRule::kNormalize,
       "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmx"
       "fpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0K"
       "PkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZb"
       "qBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="},
  };
}

std::vector<Vector> Suite() {
  std::vector<Vector> all = GetCases();
  for (Vector& vector : HeaderCases()) all.push_back(std::move(vector));
  for (Vector& vector : BodyAndTokenCases()) all.push_back(std::move(vector));
  return all;
}

// The worked example of AWS's documentation.
TEST(SigV4, SignsTheListUsersExampleStepByStep) {
  const http::Headers headers{{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
                              {"Host", "iam.amazonaws.com"},
                              {"X-Amz-Date", "20150830T123600Z"}};
  const std::vector<std::string> names = SignableHeaders(headers);
  const std::string payload_hash = Sha256Hex("");
  const std::string canonical = CanonicalRequest(
      {"GET", "/?Action=ListUsers&Version=2010-05-08", &headers, names, payload_hash});
  EXPECT_EQ(canonical,
            "GET\n/\nAction=ListUsers&Version=2010-05-08\n"
            "content-type:application/x-www-form-urlencoded; charset=utf-8\n"
            "host:iam.amazonaws.com\nx-amz-date:20150830T123600Z\n\n"
            "content-type;host;x-amz-date\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  const SigningScope scope{"20150830", "us-east-1", "iam"};
  const std::string to_sign = StringToSign("20150830T123600Z", scope, canonical);
  EXPECT_EQ(to_sign,
            "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/iam/aws4_request\n"
            "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59");
  const Sha256Digest key = SigningKey(kExample.secret_access_key, scope);
  EXPECT_EQ(HexEncode(BytesOf(key)),
            "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
  EXPECT_EQ(Signature(key, to_sign),
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
}

TEST(Signer, WritesTheWholeAuthorizationHeader) {
  http::Headers headers{{"Host", "example.amazonaws.com"}, {"User-Agent", "anything"}};
  Signer(kExample, "us-east-1", "service").Sign("GET", "/", "", kExampleTime, headers);
  EXPECT_EQ(headers.Get("Authorization"),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
            "SignedHeaders=host;x-amz-date, Signature=" +
                std::string(kVanilla));
  EXPECT_EQ(headers.Get("X-Amz-Date"), "20150830T123600Z");
  EXPECT_FALSE(headers.Has("X-Amz-Security-Token"));
}

TEST(Signer, SignsAgainAfterARetryAsIfForTheFirstTime) {
  http::Headers headers{{"Host", "example.amazonaws.com"}};
  Signer signer(kExample, "us-east-1", "service");
  signer.Sign("GET", "/", "", kExampleTime - std::chrono::hours(48), headers);
  const std::string other_day(headers.Get("Authorization"));
  signer.Sign("GET", "/", "", kExampleTime, headers);
  EXPECT_NE(headers.Get("Authorization"), other_day);
  EXPECT_THAT(std::string(headers.Get("Authorization")), EndsWith(kVanilla));
}

TEST(Signer, MarksAnUnsignedPayloadAndSignsTheMark) {
  http::Headers headers{{"Host", "example.amazonaws.com"}};
  Signer signer(kExample, "us-east-1", "service", {.payload = PayloadSigning::kUnsigned});
  signer.Sign("PUT", "/", "one body", kExampleTime, headers);
  const std::string first(headers.Get("Authorization"));
  EXPECT_EQ(headers.Get("X-Amz-Content-Sha256"), "UNSIGNED-PAYLOAD");
  EXPECT_THAT(first, HasSubstr("host;x-amz-content-sha256;x-amz-date"));
  signer.Sign("PUT", "/", "another body", kExampleTime, headers);
  EXPECT_EQ(headers.Get("Authorization"), first);
}

TEST(CanonicalPath, EncodesWhatIsOnTheWireOnceMoreExceptForS3) {
  EXPECT_EQ(CanonicalPath("/functions/a%3Ab", PathRule::kNormalize), "/functions/a%253Ab");
  EXPECT_EQ(CanonicalPath("/functions/a%3Ab", PathRule::kAsSent), "/functions/a%3Ab");
  EXPECT_EQ(CanonicalPath("", PathRule::kNormalize), "/");
  EXPECT_EQ(CanonicalPath("/../..", PathRule::kNormalize), "/");
  EXPECT_EQ(CanonicalPath("/a/b/", PathRule::kNormalize), "/a/b/");
}

TEST(CanonicalQuery, DecodesEncodesAndSortsByNameThenValue) {
  EXPECT_EQ(CanonicalQuery("b=2&a=2&a=10&a"), "a=&a=10&a=2&b=2");
  EXPECT_EQ(CanonicalQuery("p=a%2fb&&q=x+y"), "p=a%2Fb&q=x%2By");
  EXPECT_EQ(CanonicalQuery("p=100%&=v"), "=v&p=100%25");
  EXPECT_EQ(CanonicalQuery("p=a=b"), "p=a%3Db");
  EXPECT_EQ(CanonicalQuery(""), "");
}

TEST(CanonicalHeaderValue, TrimsAndMakesRunsOfBlanksOne) {
  EXPECT_EQ(CanonicalHeaderValue(" \t a  b\tc  "), "a b c");
  EXPECT_EQ(CanonicalHeaderValue("   "), "");
}

TEST(SignableHeaders, AreLowerCaseSortedOnceAndWithoutThoseThatProxiesRewrite) {
  const http::Headers headers{{"X-B", "1"},        {"x-b", "2"},        {"Host", "h"},
                              {"Connection", "c"}, {"User-Agent", "u"}, {"Authorization", "a"}};
  EXPECT_THAT(SignableHeaders(headers), ElementsAre("host", "x-b"));
}

// RFC 4231, cases 1, 2 and 6 (a key longer than a block).
TEST(HmacSha256, GivesThePublishedDigests) {
  const auto hex = [](std::string_view key, std::string_view message) {
    return HexEncode(BytesOf(HmacSha256(key, message)));
  };
  EXPECT_EQ(hex(std::string(20, '\x0b'), "Hi There"),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hex("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

}  // namespace
}  // namespace kelvin::aws
