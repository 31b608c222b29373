#include "aws/credentials.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/endpoint.h"

namespace kelvin::aws {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

EnvironmentLookup Environment(std::map<std::string, std::string, std::less<>> variables) {
  return [variables = std::move(variables)](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

TEST(Credentials, ComeFromTheEnvironment) {
  const auto credentials =
      CredentialsFromEnvironment(Environment({{"AWS_ACCESS_KEY_ID", "id"},
                                              {"AWS_SECRET_ACCESS_KEY", "secret"},
                                              {"AWS_SESSION_TOKEN", "t"}}));
  ASSERT_TRUE(credentials.has_value()) << credentials.error().message;
  EXPECT_EQ(credentials->access_key_id, "id");
  EXPECT_EQ(credentials->secret_access_key, "secret");
  EXPECT_EQ(credentials->session_token, "t");
}

TEST(Credentials, NeedNoSessionToken) {
  const auto credentials = CredentialsFromEnvironment(Environment(
      {{"AWS_ACCESS_KEY_ID", "id"}, {"AWS_SECRET_ACCESS_KEY", "s"}, {"AWS_SESSION_TOKEN", ""}}));
  ASSERT_TRUE(credentials.has_value()) << credentials.error().message;
  EXPECT_EQ(credentials->session_token, "");
}

TEST(Credentials, NameTheVariableThatIsMissing) {
  const auto none = CredentialsFromEnvironment(Environment({}));
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(none.error().message, HasSubstr("AWS_ACCESS_KEY_ID is not set"));
  const auto half = CredentialsFromEnvironment(
      Environment({{"AWS_ACCESS_KEY_ID", "id"}, {"AWS_SECRET_ACCESS_KEY", ""}}));
  ASSERT_FALSE(half.has_value());
  EXPECT_THAT(half.error().message, HasSubstr("AWS_SECRET_ACCESS_KEY is empty"));
}

TEST(Credentials, RefuseWhatNoHeaderCanCarryWithoutShowingIt) {
  const auto refused =
      CredentialsFromEnvironment(Environment({{"AWS_ACCESS_KEY_ID", "id"},
                                              {"AWS_SECRET_ACCESS_KEY", "s"},
                                              {"AWS_SESSION_TOKEN", "t\r\nX: y"}}));
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message,
              AllOf(HasSubstr("AWS_SESSION_TOKEN"), Not(HasSubstr("X: y"))));
}

TEST(Region, PrefersAwsRegion) {
  EXPECT_EQ(RegionFromEnvironment(
                Environment({{"AWS_REGION", "eu-west-1"}, {"AWS_DEFAULT_REGION", "us-east-1"}})),
            "eu-west-1");
  EXPECT_EQ(RegionFromEnvironment(Environment({{"AWS_DEFAULT_REGION", "us-east-1"}})), "us-east-1");
}

TEST(Region, NamesTheVariablesWhenNeitherIsSet) {
  const auto region = RegionFromEnvironment(Environment({}));
  ASSERT_FALSE(region.has_value());
  EXPECT_THAT(region.error().message, HasSubstr("AWS_REGION"));
}

TEST(Region, RefusesWhatIsNoRegionName) {
  const auto region = RegionFromEnvironment(Environment({{"AWS_REGION", "evil.example/x"}}));
  ASSERT_FALSE(region.has_value());
  EXPECT_THAT(region.error().message, HasSubstr("evil.example/x"));
}

TEST(Endpoint, IsTheRegionsOwnInItsPartition) {
  const auto host = [](std::string_view region) {
    return FindEndpoint("dynamodb", region, Environment({}))->address.host;
  };
  EXPECT_EQ(host("eu-central-1"), "dynamodb.eu-central-1.amazonaws.com");
  EXPECT_EQ(host("us-gov-west-1"), "dynamodb.us-gov-west-1.amazonaws.com");
  EXPECT_EQ(host("cn-north-1"), "dynamodb.cn-north-1.amazonaws.com.cn");
  EXPECT_EQ(host("us-iso-east-1"), "dynamodb.us-iso-east-1.c2s.ic.gov");
  EXPECT_EQ(host("us-isob-east-1"), "dynamodb.us-isob-east-1.sc2s.sgov.gov");
  const auto endpoint = FindEndpoint("lambda", "us-east-1", Environment({}));
  EXPECT_EQ(endpoint->scheme, Scheme::kHttps);
  EXPECT_EQ(endpoint->address.port, 443);
  EXPECT_EQ(endpoint->HostHeader(), "lambda.us-east-1.amazonaws.com");
}

TEST(Endpoint, TheServicesOwnVariableWinsOverTheGeneralOneAndAUrlOverBoth) {
  const auto lookup = Environment({{"AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:8000"},
                                   {"AWS_ENDPOINT_URL", "http://127.0.0.1:9000/"}});
  EXPECT_EQ(FindEndpoint("dynamodb", "us-east-1", lookup)->address.port, 8000);
  EXPECT_EQ(FindEndpoint("lambda", "us-east-1", lookup)->address.port, 9000);
  EXPECT_EQ(FindEndpoint("lambda", "us-east-1", lookup, "http://[::1]:7000")->address.port, 7000);
}

TEST(Endpoint, NamesTheVariableThatHoldsNoUrl) {
  const auto endpoint =
      FindEndpoint("lambda", "us-east-1", Environment({{"AWS_ENDPOINT_URL", "localhost:9000"}}));
  ASSERT_FALSE(endpoint.has_value());
  EXPECT_THAT(endpoint.error().message,
              AllOf(HasSubstr("AWS_ENDPOINT_URL"), HasSubstr("localhost:9000")));
}

TEST(EndpointUrl, HoldsSchemeHostPortAndPath) {
  const auto url = ParseEndpointUrl("https://[2001:db8::1]:8443/stage/");
  ASSERT_TRUE(url.has_value()) << url.error().message;
  EXPECT_EQ(url->scheme, Scheme::kHttps);
  EXPECT_EQ(url->address.host, "2001:db8::1");
  EXPECT_EQ(url->address.port, 8443);
  EXPECT_EQ(url->base_path, "/stage");
  EXPECT_EQ(url->HostHeader(), "[2001:db8::1]:8443");
  EXPECT_EQ(ParseEndpointUrl("http://localhost")->address.port, 80);
  EXPECT_EQ(ParseEndpointUrl("http://localhost:80/")->HostHeader(), "localhost");
}

TEST(EndpointUrl, RefusesWhatIsNoUrlOfAnEndpoint) {
  for (const std::string_view bad :
       {"", "127.0.0.1:9000", "ftp://x", "http://", "http://:80", "http://a:0", "http://a:65536",
        "http://a:9x", "http://a:", "http://a b", "http://user@host", "http://a/?q=1",
        "http://a/\r\nX: y", "http://[::1", "http://[nonsense]", "http://[::1]9000"}) {
    EXPECT_FALSE(ParseEndpointUrl(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace kelvin::aws
