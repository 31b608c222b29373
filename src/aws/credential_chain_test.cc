#include "aws/credential_chain.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/profiles.h"
#include "aws/system_credentials.h"
#include "base/fake_clock.h"
#include "http/fake_stream.h"

namespace kelvin::aws {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
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
          if (path == unreadable_) {
            return std::unexpected(
                Error{ErrorCode::kPermissionDenied, "cannot open it: Permission denied"});
          }
          const auto found = files_.find(path.native());
          if (found == files_.end()) {
            return std::unexpected(Error{ErrorCode::kNotFound, "no such file"});
          }
          return found->second;
        },
        .run = [this](const std::string& command) -> std::expected<std::string, Error> {
          commands_.push_back(command);
          return process_;
        },
        .plain = plain_,
        .secure = secure_,
        .clock = clock_};
  }
  std::string KeyOrError(std::string profile = {}) {
    const auto found = FindCredentials(Sources(std::move(profile)));
    return found ? found->keys.access_key_id : found.error().message;
  }
  void AnswerPlain(std::string text) { plain_.AddConnection({.reads = {std::move(text)}}); }
  void AnswerSecure(std::string text) { secure_.AddConnection({.reads = {std::move(text)}}); }
  // As STS answers, with keys that hold for an hour from `clock_`'s start.
  void AnswerRole(const std::string& key) {
    AnswerSecure(Answer("<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>" + key +
                        "</AccessKeyId><SecretAccessKey>a&amp;b</SecretAccessKey><SessionToken>t"
                        "</SessionToken><Expiration>2023-11-14T23:13:20Z</Expiration></Credentials>"
                        "</AssumeRoleResult></AssumeRoleResponse>"));
  }
  void Config(std::string text) { files_["/home/ada/.aws/config"] = std::move(text); }
  void CredentialsFile(std::string text) { files_["/home/ada/.aws/credentials"] = std::move(text); }

  std::map<std::string, std::string> environment_ = {{"HOME", "/home/ada"}};
  std::map<std::string, std::string> files_;
  std::filesystem::path unreadable_;
  std::string process_;
  std::vector<std::string> commands_;
  http::FakeConnector plain_;
  http::FakeConnector secure_;
  FakeClock clock_;  // 2023-11-14T22:13:20Z
};

constexpr const char* kKeys = R"({"AccessKeyId":"id","SecretAccessKey":"secret","Token":"token"})";
constexpr const char* kBase =
    "[base]\naws_access_key_id = base-key\naws_secret_access_key = base-secret\n";

TEST_F(ChainTest, TakesTheEnvironmentFirst) {
  environment_["AWS_ACCESS_KEY_ID"] = "env";
  environment_["AWS_SECRET_ACCESS_KEY"] = "s";
  CredentialsFile("[default]\naws_access_key_id = f\n");
  EXPECT_EQ(KeyOrError(), "env");
}

TEST_F(ChainTest, TakesANamedProfileBeforeTheEnvironment) {
  environment_["AWS_ACCESS_KEY_ID"] = "env";
  environment_["AWS_SECRET_ACCESS_KEY"] = "s";
  environment_["AWS_REGION"] = "us-east-1";
  CredentialsFile(
      "[default]\naws_access_key_id=d\naws_secret_access_key=d\n"
      "[work]\n# a comment\naws_access_key_id = w\r\naws_secret_access_key = x=y\r\n"
      "aws_session_token = t\n");
  Config("[profile work]\nregion = eu-west-1\n[work]\nregion = no\n");
  const auto found = FindCredentials(Sources("work"));
  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_EQ(found->keys.access_key_id, "w");
  EXPECT_EQ(found->keys.secret_access_key, "x=y");
  EXPECT_EQ(found->keys.session_token, "t");
  EXPECT_FALSE(found->expires);
  EXPECT_EQ(FindRegion(Sources("work")), "us-east-1");
  EXPECT_EQ(FindRegion(Sources()), "us-east-1");
  environment_.erase("AWS_REGION");
  EXPECT_EQ(FindRegion(Sources("work")), "eu-west-1");
  environment_["AWS_DEFAULT_REGION"] = "no region";
  EXPECT_THAT(FindRegion(Sources("work")).error().message, HasSubstr("AWS_DEFAULT_REGION"));
  CredentialSources given = Sources("work");
  given.region = "ap-south-1";
  EXPECT_EQ(FindRegion(given), "ap-south-1");
}

TEST_F(ChainTest, SaysWhatANamedProfileLacks) {
  environment_["AWS_EC2_METADATA_DISABLED"] = "true";
  Config("[profile bare]\nregion = eu-west-1\n[profile half]\naws_access_key_id = x\n");
  EXPECT_THAT(KeyOrError("none"), AllOf(HasSubstr("expected profile none"), HasSubstr("bare, half"),
                                        HasSubstr("/home/ada/.aws/config")));
  EXPECT_THAT(KeyOrError("bare"), HasSubstr("bare in /home/ada/.aws/config or "));
  EXPECT_THAT(KeyOrError("half"), HasSubstr("found only aws_access_key_id"));
  environment_["AWS_PROFILE"] = "none";
  EXPECT_THAT(KeyOrError(), HasSubstr("expected profile none"));
  EXPECT_THAT(FindRegion(Sources()).error().message, HasSubstr("expected profile none"));
  EXPECT_THAT(FindRegion(Sources("half")).error().message, HasSubstr("--region"));
  EXPECT_THAT(plain_.written(), IsEmpty());
  unreadable_ = "/home/ada/.aws/config";
  EXPECT_THAT(KeyOrError(), HasSubstr("Permission denied"));
}

TEST_F(ChainTest, TakesARoleWithTheKeysOfAnotherProfile) {
  CredentialsFile(kBase);
  Config(
      "[profile work]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n"
      "external_id = e x\nduration_seconds = 1800\nrole_session_name = me\nregion = eu-west-1\n");
  AnswerRole("role-key");
  const auto found = FindCredentials(Sources("work"));
  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_EQ(found->keys.access_key_id, "role-key");
  EXPECT_EQ(found->keys.secret_access_key, "a&b");
  EXPECT_EQ(found->keys.session_token, "t");
  EXPECT_EQ(found->expires, clock_.WallNow() + std::chrono::hours(1));
  EXPECT_THAT(
      secure_.written().at(0),
      AllOf(HasSubstr("Host: sts.eu-west-1.amazonaws.com\r\n"),
            HasSubstr("Credential=base-key/20231114/eu-west-1/sts/"),
            HasSubstr("RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr"), HasSubstr("ExternalId=e%20x"),
            HasSubstr("DurationSeconds=1800"), HasSubstr("RoleSessionName=me")));
}

TEST_F(ChainTest, TakesARoleFromARole) {
  CredentialsFile(kBase);
  Config(
      "[profile inner]\nrole_arn = inner\nsource_profile = base\n"
      "[profile outer]\nrole_arn = outer\nsource_profile = inner\n");
  AnswerRole("inner-key");
  AnswerRole("outer-key");
  EXPECT_EQ(KeyOrError("outer"), "outer-key");
  EXPECT_THAT(secure_.written().at(0), HasSubstr("Credential=base-key/"));
  EXPECT_THAT(secure_.written().at(1),
              AllOf(HasSubstr("Credential=inner-key/"), HasSubstr("RoleArn=outer")));
}

TEST_F(ChainTest, TakesARoleWithItsOwnKeys) {
  CredentialsFile(
      "[self]\nrole_arn = r\nsource_profile = self\naws_access_key_id = own\n"
      "aws_secret_access_key = s\n");
  AnswerRole("role-key");
  EXPECT_EQ(KeyOrError("self"), "role-key");
  EXPECT_THAT(secure_.written().at(0), HasSubstr("Credential=own/"));
}

TEST_F(ChainTest, TakesARoleWithKeysOfTheEnvironmentTheContainerOrTheInstance) {
  Config(
      "[profile env]\nrole_arn = r\ncredential_source = Environment\n"
      "[profile ecs]\nrole_arn = r\ncredential_source = EcsContainer\n"
      "[profile ec2]\nrole_arn = r\ncredential_source = Ec2InstanceMetadata\n"
      "[profile odd]\nrole_arn = r\ncredential_source = Somewhere\n");
  EXPECT_THAT(KeyOrError("env"), HasSubstr("AWS_ACCESS_KEY_ID"));
  EXPECT_THAT(KeyOrError("ecs"), HasSubstr("no container"));
  EXPECT_THAT(KeyOrError("odd"), HasSubstr("expected Environment, Ec2InstanceMetadata"));
  environment_["AWS_ACCESS_KEY_ID"] = "env-key";
  environment_["AWS_SECRET_ACCESS_KEY"] = "s";
  AnswerRole("a");
  EXPECT_EQ(KeyOrError("env"), "a");
  EXPECT_THAT(secure_.written().at(0), HasSubstr("Credential=env-key/"));
  environment_["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/x";
  AnswerPlain(Answer(kKeys));
  AnswerRole("b");
  EXPECT_EQ(KeyOrError("ecs"), "b");
  AnswerPlain(Answer("session"));
  AnswerPlain(Answer("my-role"));
  AnswerPlain(Answer(kKeys));
  AnswerRole("c");
  EXPECT_EQ(KeyOrError("ec2"), "c");
}

TEST_F(ChainTest, SaysWhatIsWrongWithARole) {
  CredentialsFile(kBase);
  Config(
      "[profile neither]\nrole_arn = r\n"
      "[profile both]\nrole_arn = r\nsource_profile = base\ncredential_source = Environment\n"
      "[profile lost]\nrole_arn = r\nsource_profile = nowhere\n"
      "[profile a]\nrole_arn = r\nsource_profile = b\n[profile b]\nrole_arn=r\nsource_profile=a\n"
      "[profile long]\nrole_arn = r\nsource_profile = base\nduration_seconds = 1h\n"
      "[profile mfa]\nrole_arn = r\nsource_profile = base\nmfa_serial = arn:mfa/ada\n"
      "[profile empty]\n[profile hollow]\nrole_arn = r\nsource_profile = empty\n");
  EXPECT_THAT(KeyOrError("neither"), HasSubstr("found neither"));
  EXPECT_THAT(KeyOrError("both"), HasSubstr("found both"));
  EXPECT_THAT(KeyOrError("lost"), HasSubstr("source_profile nowhere"));
  EXPECT_THAT(KeyOrError("a"), HasSubstr("a -> b -> a"));
  EXPECT_THAT(KeyOrError("long"), HasSubstr("duration_seconds"));
  EXPECT_THAT(KeyOrError("hollow"), HasSubstr("expected keys in profile empty"));
  EXPECT_THAT(KeyOrError("mfa"), AllOf(HasSubstr("arn:mfa/ada"), HasSubstr("export-credentials")));
  EXPECT_THAT(secure_.written(), IsEmpty());
  CredentialSources asking = Sources("mfa");
  asking.ask_code = [](const std::string&) -> std::expected<std::string, Error> {
    return "123456";
  };
  AnswerRole("with-mfa");
  EXPECT_EQ(FindCredentials(asking)->keys.access_key_id, "with-mfa");
  EXPECT_THAT(secure_.written().at(0),
              AllOf(HasSubstr("SerialNumber=arn%3Amfa%2Fada"), HasSubstr("TokenCode=123456")));
}

TEST_F(ChainTest, SaysWhyStsRefuses) {
  CredentialsFile(kBase);
  Config("[profile work]\nrole_arn = arn:r\nsource_profile = base\n");
  AnswerSecure(
      Answer("<ErrorResponse><Error><Code>AccessDenied</Code><Message>User x is not "
             "authorized</Message></Error></ErrorResponse>",
             403));
  EXPECT_THAT(KeyOrError("work"),
              AllOf(HasSubstr("cannot take role arn:r of profile work"), HasSubstr("User x is not"),
                    HasSubstr("allow sts:AssumeRole"), HasSubstr("trust policy")));
  AnswerSecure(Answer("no XML"));
  EXPECT_THAT(KeyOrError("work"), HasSubstr("expected keys in the answer"));
  for (int i = 0; i < 3; ++i) secure_.RefuseConnection({ErrorCode::kUnavailable, "no route"});
  EXPECT_THAT(KeyOrError("work"), HasSubstr("no route"));
}

TEST_F(ChainTest, TakesTheRoleOfAWebIdentity) {
  environment_["AWS_WEB_IDENTITY_TOKEN_FILE"] = "/var/run/token";
  EXPECT_THAT(KeyOrError(), HasSubstr("expected AWS_ROLE_ARN"));
  environment_["AWS_ROLE_ARN"] = "arn:pod";
  EXPECT_THAT(KeyOrError(), HasSubstr("no such file"));
  files_["/var/run/token"] = "ey.J=\n";
  AnswerRole("pod-key");
  EXPECT_EQ(KeyOrError(), "pod-key");
  EXPECT_THAT(secure_.written().at(0),
              AllOf(HasSubstr("Action=AssumeRoleWithWebIdentity"), HasSubstr("RoleArn=arn%3Apod"),
                    HasSubstr("WebIdentityToken=ey.J%3D"), Not(HasSubstr("Authorization"))));
  // Who names a profile does not mean the pod's role.
  Config("[profile w]\nweb_identity_token_file = /var/run/token\nrole_arn = arn:w\n");
  AnswerRole("profile-key");
  EXPECT_EQ(KeyOrError("w"), "profile-key");
  EXPECT_THAT(secure_.written().at(1), HasSubstr("RoleArn=arn%3Aw&"));
}

TEST_F(ChainTest, TakesTheTokenOfSso) {
  Config(
      "[sso-session corp]\nsso_start_url = https://corp\nsso_region = eu-north-1\n"
      "[profile new]\nsso_session = corp\nsso_account_id = 123\nsso_role_name = Dev Ops\n"
      "[profile old]\nsso_start_url = https://old\nsso_region = us-east-1\nsso_account_id = 4\n"
      "sso_role_name = R\n[profile half]\nsso_session = corp\nsso_role_name = R\n"
      "[profile lost]\nsso_session = gone\nsso_account_id = 1\nsso_role_name = R\n");
  // The SHA-1 of "corp".
  const std::string path = "/home/ada/.aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";
  EXPECT_THAT(KeyOrError("new"), AllOf(HasSubstr("there is no token in " + path),
                                       HasSubstr("run 'aws sso login --profile new'")));
  EXPECT_THAT(KeyOrError("half"), HasSubstr("expected sso_account_id for profile half"));
  EXPECT_THAT(KeyOrError("lost"), HasSubstr("[sso-session gone]"));
  files_[path] = R"({"accessToken":"tok","expiresAt":"2023-11-14T22:13:19Z"})";
  EXPECT_THAT(KeyOrError("new"), AllOf(HasSubstr("expired at 2023-11-14T22:13:19Z"),
                                       HasSubstr("aws sso login --profile new")));
  files_[path] = "not JSON";
  EXPECT_THAT(KeyOrError("new"), HasSubstr("aws sso login"));
  files_[path] = R"({"accessToken":"tok","expiresAt":"2023-11-15T00:00:00UTC"})";
  AnswerSecure(Answer(R"({"roleCredentials":{"accessKeyId":"sso-key","secretAccessKey":"s",)"
                      R"("sessionToken":"t","expiration":1700003600000}})"));
  const auto found = FindCredentials(Sources("new"));
  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_EQ(found->keys.access_key_id, "sso-key");
  EXPECT_EQ(found->expires, clock_.WallNow() + std::chrono::hours(1));
  EXPECT_THAT(secure_.written().at(0),
              AllOf(HasSubstr("GET /federation/credentials?role_name=Dev%20Ops&account_id=123 "),
                    HasSubstr("Host: portal.sso.eu-north-1.amazonaws.com"),
                    HasSubstr("x-amz-sso_bearer_token: tok")));
  AnswerSecure(Answer(R"({"message":"Session token not found or invalid"})", 401));
  EXPECT_THAT(KeyOrError("new"), HasSubstr("aws sso login --profile new"));
  AnswerSecure(Answer(R"({"message":"No access"})", 403));
  EXPECT_THAT(KeyOrError("new"), AllOf(HasSubstr("No access"), HasSubstr("role Dev Ops")));
  EXPECT_THAT(KeyOrError("old"), HasSubstr("aws sso login --profile old"));
}

TEST_F(ChainTest, RunsAProcess) {
  Config(
      "[profile p]\ncredential_process = /bin/keys --for \"ada\"\naws_access_key_id = ignored\n"
      "aws_secret_access_key = ignored\n");
  process_ = R"({"Version":1,"AccessKeyId":"p","SecretAccessKey":"s","SessionToken":"t",)"
             R"("Expiration":"2023-11-15T00:00:00.5Z"})";
  const auto found = FindCredentials(Sources("p"));
  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_EQ(found->keys.access_key_id, "p");
  EXPECT_EQ(found->keys.session_token, "t");
  EXPECT_TRUE(found->expires);
  EXPECT_EQ(commands_.at(0), "/bin/keys --for \"ada\"");
  process_ = R"({"Version":2})";
  EXPECT_THAT(KeyOrError("p"), HasSubstr("\"Version\": 1"));
  process_ = "oops";
  EXPECT_THAT(KeyOrError("p"), HasSubstr("got something else"));
  process_ = R"({"Version":1,"AccessKeyId":"p"})";
  EXPECT_THAT(KeyOrError("p"), HasSubstr("AccessKeyId and SecretAccessKey"));
  process_ =
      R"({"Version":1,"AccessKeyId":"p","SecretAccessKey":"s","Expiration":"2020-01-01T00:00:00Z"})";
  EXPECT_THAT(KeyOrError("p"), HasSubstr("expired"));
  CredentialsFile("[p]\naws_access_key_id = first\naws_secret_access_key = s\n");
  EXPECT_EQ(KeyOrError("p"), "first");
}

TEST_F(ChainTest, AsksTheContainersService) {
  environment_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://127.0.0.1:99/keys?x=1";
  environment_["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = "/token";
  EXPECT_THAT(KeyOrError(), HasSubstr("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: no such file"));
  files_["/token"] = "Bearer abc\n";
  AnswerPlain(Answer("busy", 500));
  AnswerPlain(Answer(kKeys));
  const auto found = FindCredentials(Sources());
  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_EQ(found->keys.session_token, "token");
  EXPECT_THAT(plain_.written().at(1),
              AllOf(HasSubstr("GET /keys?x=1 "), HasSubstr("Host: 127.0.0.1:99"),
                    HasSubstr("Authorization: Bearer abc\r\n")));
  AnswerPlain(Answer("no", 403));
  EXPECT_THAT(KeyOrError(), HasSubstr("answered 403: the task or pod may have no role"));
  for (int i = 0; i < 3; ++i) plain_.RefuseConnection({ErrorCode::kTimeout, "no answer"});
  EXPECT_THAT(KeyOrError(), HasSubstr("does not answer: no answer"));
  files_["/token"] = "two\r\nlines";
  EXPECT_THAT(KeyOrError(), HasSubstr("one line"));
  environment_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://evil.example/keys";
  EXPECT_THAT(KeyOrError(), HasSubstr("expected AWS_CONTAINER_CREDENTIALS_FULL_URI to be https"));
}

TEST_F(ChainTest, AsksTheInstancesServiceWithAToken) {
  AnswerPlain(Answer("session"));
  AnswerPlain(Answer("my-role"));
  AnswerPlain(Answer(kKeys));
  EXPECT_EQ(KeyOrError(), "id");
  ASSERT_THAT(plain_.written(), SizeIs(3));
  EXPECT_THAT(plain_.written()[0], HasSubstr("PUT /latest/api/token"));
  EXPECT_THAT(plain_.written()[2],
              AllOf(HasSubstr("security-credentials/my-role"), HasSubstr("session")));
  AnswerPlain(Answer("session"));
  AnswerPlain(Answer("none", 404));
  EXPECT_THAT(KeyOrError(), HasSubstr("attach an instance profile"));
}

TEST_F(ChainTest, NamesEveryPlaceWhereItLooked) {
  plain_.RefuseConnection(Error{ErrorCode::kTimeout, "no answer within 1 s"});
  EXPECT_THAT(KeyOrError(), AllOf(HasSubstr("AWS_ACCESS_KEY_ID is not set"),
                                  HasSubstr("no profile default"), HasSubstr("container"),
                                  HasSubstr("no answer within 1 s"), HasSubstr("aws configure")));
  environment_["AWS_EC2_METADATA_DISABLED"] = "true";
  EXPECT_THAT(KeyOrError(), HasSubstr("switched off"));
  environment_["AWS_ACCESS_KEY_ID"] = "half";
  EXPECT_THAT(KeyOrError(), HasSubstr("AWS_SECRET_ACCESS_KEY"));
}

TEST_F(ChainTest, RenewsCredentialsBeforeTheyEnd) {
  CredentialsFile(kBase);
  Config("[profile work]\nrole_arn = r\nsource_profile = base\n");
  CredentialChain chain(Sources("work"));
  AnswerRole("first");  // until 23:13:20
  EXPECT_EQ(chain.Get()->access_key_id, "first");
  clock_.Advance(std::chrono::minutes(54));
  EXPECT_EQ(chain.Get()->access_key_id, "first");
  clock_.Advance(std::chrono::minutes(2));
  for (int i = 0; i < 3; ++i) secure_.RefuseConnection({ErrorCode::kUnavailable, "no route"});
  EXPECT_EQ(chain.Get()->access_key_id, "first") << "still hold";
  AnswerSecure(
      Answer("<AccessKeyId>second</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
             "<Expiration>2023-11-15T00:13:20Z</Expiration>"));
  EXPECT_EQ(chain.Get()->access_key_id, "second");
  clock_.Advance(std::chrono::hours(2));
  for (int i = 0; i < 3; ++i) secure_.RefuseConnection({ErrorCode::kUnavailable, "no route"});
  EXPECT_THAT(chain.Get().error().message, AllOf(HasSubstr("have expired"), HasSubstr("no route")));
}

TEST(Profiles, PassOverWhatTheyDoNotKnow) {
  const ProfileFileContent content = ParseProfiles(
      "stray = 1\n[broken\n[services s3]\nx=1\n[profile a]\n; c\ns3 =\n  nested = "
      "2\nK: v\n[sso-session s]\nu=1\n[profile \"b c\"]\nk=1\n[default]",
      ProfileFile::kConfig);
  EXPECT_THAT(content.profiles, SizeIs(3));
  EXPECT_EQ(content.profiles.at("a").at("k"), "v");
  EXPECT_EQ(content.profiles.at("a").count("nested"), 0U);
  EXPECT_EQ(content.profiles.at("b c").at("k"), "1");
  EXPECT_EQ(content.sso_sessions.at("s").at("u"), "1");
  EXPECT_THAT(ParseProfiles("[profile a]\n[b]\n", ProfileFile::kCredentials).profiles,
              ::testing::ElementsAre(::testing::Key("b"), ::testing::Key("profile a")));
}

TEST(ParseExpiration, TakesTheFormsThatServicesWrite) {
  for (const char* text : {"2023-11-14T22:13:20Z", "2023-11-14T22:13:20UTC",
                           "2023-11-14T22:13:20.000Z", "2023-11-14T22:13:20+00:00"}) {
    EXPECT_EQ(ParseExpiration(text), FakeClock().WallNow()) << text;
  }
  for (const char* text : {"", "Z", "2023-11-14T22:13:20", "2023-11-14T22:13:20.", "soon",
                           "2023-11-14T22:13:20+01:00", "2023-99-14T22:13:20Z"}) {
    EXPECT_FALSE(ParseExpiration(text)) << text;
  }
}

TEST(RunCommand, GivesTheOutputOrSaysHowItEnded) {
  EXPECT_EQ(RunCommand("printf 'a b'", std::chrono::minutes(1)), "a b");
  EXPECT_THAT(RunCommand("exit 3", std::chrono::minutes(1)).error().message, HasSubstr("status 3"));
  EXPECT_THAT(RunCommand("kill -9 $$", std::chrono::minutes(1)).error().message,
              HasSubstr("signal 9"));
  EXPECT_EQ(RunCommand("exec tail -f /dev/null", std::chrono::milliseconds(50)).error().code,
            ErrorCode::kTimeout);
  EXPECT_EQ(RunCommand("head -c 2000000 /dev/zero", std::chrono::minutes(1)).error().code,
            ErrorCode::kResourceExhausted);
}

}  // namespace
}  // namespace kelvin::aws
