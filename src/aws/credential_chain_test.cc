#include "aws/credential_chain.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/profiles.h"
#include "base/fake_clock.h"
#include "http/fake_stream.h"

namespace kelvin::aws {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string Answer(std::string_view body, int status = 200) {
  return "HTTP/1.1 " + std::to_string(status) +
         " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

class ChainTest : public ::testing::Test {
 protected:
  CredentialSources Sources(std::string profile = {}) {
    return CredentialSources{
        .environment = [this](std::string_view name) -> std::optional<std::string> {
          const auto found = environment_.find(std::string(name));
          if (found == environment_.end()) return std::nullopt;
          return found->second;
        },
        .profile = std::move(profile),
        .read_file =
            [this](const std::filesystem::path& path) -> std::expected<std::string, Error> {
          const auto found = files_.find(path.native());
          if (found == files_.end()) {
            return std::unexpected(Error{ErrorCode::kNotFound, "no such file"});
          }
          return found->second;
        },
        .metadata = connector_,
        .clock = clock_};
  }
  void AddAnswer(std::string text) { connector_.AddConnection({.reads = {std::move(text)}}); }

  std::map<std::string, std::string> environment_ = {{"HOME", "/home/ada"}};
  std::map<std::string, std::string> files_;
  http::FakeConnector connector_;
  FakeClock clock_;
};

constexpr const char* kKeys = R"({"AccessKeyId":"id","SecretAccessKey":"secret","Token":"token"})";

TEST_F(ChainTest, TakesTheEnvironmentFirst) {
  environment_["AWS_ACCESS_KEY_ID"] = "env";
  environment_["AWS_SECRET_ACCESS_KEY"] = "s";
  files_["/home/ada/.aws/credentials"] = "[default]\naws_access_key_id = f\n";
  EXPECT_EQ(FindCredentials(Sources())->access_key_id, "env");
}

TEST_F(ChainTest, TakesANamedProfileBeforeTheEnvironment) {
  environment_["AWS_ACCESS_KEY_ID"] = "env";
  environment_["AWS_SECRET_ACCESS_KEY"] = "s";
  environment_["AWS_REGION"] = "us-east-1";
  files_["/home/ada/.aws/credentials"] =
      "[default]\naws_access_key_id=d\naws_secret_access_key=d\n"
      "[work]\n# a comment\naws_access_key_id = w\r\naws_secret_access_key = x=y\r\n"
      "aws_session_token = t\n";
  files_["/home/ada/.aws/config"] = "[profile work]\nregion = eu-west-1\n[work]\nregion = no\n";
  const auto found = FindCredentials(Sources("work"));
  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_EQ(found->access_key_id, "w");
  EXPECT_EQ(found->secret_access_key, "x=y");
  EXPECT_EQ(found->session_token, "t");
  EXPECT_EQ(FindRegion(Sources("work")), "eu-west-1");
  EXPECT_EQ(FindRegion(Sources()), "us-east-1");
}

TEST_F(ChainTest, SaysWhatANamedProfileLacksWithoutAskingTheNetwork) {
  files_["/home/ada/.aws/config"] = "[profile sso]\nsso_start_url = https://x\n[profile bare]\n";
  EXPECT_THAT(FindCredentials(Sources("none")).error().message, HasSubstr("no profile none"));
  EXPECT_THAT(FindCredentials(Sources("bare")).error().message, HasSubstr("profile bare has no"));
  EXPECT_THAT(FindCredentials(Sources("sso")).error().message,
              AllOf(HasSubstr("sso_start_url"), HasSubstr("export-credentials")));
  EXPECT_THAT(FindRegion(Sources("bare")).error().message, HasSubstr("--region"));
  EXPECT_THAT(connector_.written(), IsEmpty());
}

TEST_F(ChainTest, AsksTheContainersService) {
  environment_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://127.0.0.1:99/keys?x=1";
  environment_["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = "/token";
  files_["/token"] = "Bearer abc\n";
  AddAnswer(Answer(kKeys));
  const auto found = FindCredentials(Sources());
  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_EQ(found->session_token, "token");
  EXPECT_THAT(connector_.written().at(0),
              AllOf(HasSubstr("GET /keys?x=1 "), HasSubstr("Authorization: Bearer abc\r\n")));
}

TEST_F(ChainTest, AsksTheInstancesServiceWithAToken) {
  AddAnswer(Answer("session"));
  AddAnswer(Answer("my-role"));
  AddAnswer(Answer(kKeys));
  const auto found = FindCredentials(Sources());
  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_EQ(found->access_key_id, "id");
  ASSERT_THAT(connector_.written(), SizeIs(3));
  EXPECT_THAT(connector_.written()[0], HasSubstr("PUT /latest/api/token"));
  EXPECT_THAT(connector_.written()[2],
              AllOf(HasSubstr("security-credentials/my-role"), HasSubstr("session")));
}

TEST_F(ChainTest, NamesEveryPlaceWhereItLooked) {
  connector_.RefuseConnection(Error{ErrorCode::kTimeout, "no answer within 1 s"});
  const auto none = FindCredentials(Sources());
  ASSERT_FALSE(none.has_value());
  EXPECT_THAT(
      none.error().message,
      AllOf(HasSubstr("AWS_ACCESS_KEY_ID is not set"), HasSubstr("no profile default"),
            HasSubstr("container"), HasSubstr("no answer within 1 s"), HasSubstr("aws configure")));
  environment_["AWS_EC2_METADATA_DISABLED"] = "true";
  EXPECT_THAT(FindCredentials(Sources()).error().message, HasSubstr("switched off"));
  environment_["AWS_ACCESS_KEY_ID"] = "half";
  EXPECT_THAT(FindCredentials(Sources()).error().message, HasSubstr("AWS_SECRET_ACCESS_KEY"));
}

TEST(Profiles, PassOverWhatTheyDoNotKnow) {
  const Profiles profiles = ParseProfiles(
      "stray = 1\n[broken\n[services s3]\nx=1\n[profile a]\n; c\ns3 =\n  nested = "
      "2\nk=v\n[default]",
      ProfileFile::kConfig);
  EXPECT_EQ(profiles.size(), 2U);
  EXPECT_EQ(profiles.at("a").at("k"), "v");
  EXPECT_EQ(profiles.at("a").count("nested"), 0U);
}

}  // namespace
}  // namespace kelvin::aws
