#include "cli/deployment.h"

#include <cstring>

#include <boost/json.hpp>
#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fake_clock.h"
#include "base/file.h"
#include "lab/fake_lambda_client.h"
#include "package/zip.h"

namespace kelvin::cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class DeploymentTest : public ::testing::Test {
 protected:
  DeploymentTest() : folder_(TemporaryDirectory::Create().value()) {
    Write("hello-aot.zip", "zip of hello");
    Write("event.json", R"({"name":"Ada"})");
    Write("kelvin.toml", R"(
[[table]]
name = "items"
hash_key = { name = "Id", type = "S" }
[[function]]
name = "hello"
memory = 256
event = "event.json"
environment = { A = "b" }
packages.aot = "hello-aot.zip"
)");
    options_.config = Path("kelvin.toml");
  }

  std::string Path(const std::string& name) const { return (folder_.path() / name).native(); }
  void Write(const std::string& name, std::string_view content) const {
    ASSERT_TRUE(WriteFileAtomically(folder_.path() / name, content).has_value());
  }
  std::string Fault() const {
    const auto deployment = PlanDeployment(options_);
    if (deployment) return "accepted";
    EXPECT_EQ(deployment.error().code, ErrorCode::kInvalidArgument);
    return deployment.error().message;
  }

  TemporaryDirectory folder_;
  CompareOptions options_;
};

TEST_F(DeploymentTest, HasEveryFunctionOfTheConfiguration) {
  const auto deployment = PlanDeployment(options_);
  ASSERT_TRUE(deployment.has_value()) << deployment.error().message;
  ASSERT_THAT(deployment->functions, SizeIs(1));
  const DeployedFunction& function = deployment->functions[0];
  EXPECT_EQ(function.input.name, "hello-aot");
  EXPECT_EQ(function.input.zip, "zip of hello");
  EXPECT_EQ(function.input.memory_mb, 256);
  EXPECT_THAT(function.input.environment,
              ElementsAre(Pair("A", "b"), Pair("KELVIN_ENGINE_LOG", "1")));
  EXPECT_THAT(function.input.tags,
              UnorderedElementsAre(Pair("kelvin:mode", "aot"), Pair("kelvin:function", "hello")));
  EXPECT_EQ(function.subject.name, "hello-aot");
  EXPECT_EQ(function.subject.payload, R"({"name":"Ada"})");
  EXPECT_THAT(deployment->tables, SizeIs(1));
}

TEST_F(DeploymentTest, TakesAFunctionByEitherName) {
  for (const char* name : {"hello", "hello-aot"}) {
    options_.functions = {name};
    EXPECT_THAT(PlanDeployment(options_)->functions, SizeIs(1)) << name;
  }
}

TEST_F(DeploymentTest, NamesTheFunctionsThereAre) {
  options_.functions = {"helo"};
  EXPECT_THAT(Fault(), AllOf(HasSubstr("helo"), HasSubstr("did you mean hello?")));
}

TEST_F(DeploymentTest, LetsOptionsWinOverTheConfiguration) {
  options_.memory_mb = 1024;
  options_.payload = "[1]";
  const auto deployment = PlanDeployment(options_);
  EXPECT_EQ(deployment->functions[0].input.memory_mb, 1024);
  EXPECT_EQ(deployment->functions[0].subject.payload, "[1]");
}

TEST_F(DeploymentTest, TakesPackagesWithoutAnyConfiguration) {
  options_.config = "/nonexistent";
  Write("my fn.v2.zip", "x");
  options_.packages = {Path("hello-aot.zip"), Path("my fn.v2.zip"), Path("hello-aot.zip")};
  const auto deployment = PlanDeployment(options_);
  ASSERT_TRUE(deployment.has_value()) << deployment.error().message;
  ASSERT_THAT(deployment->functions, SizeIs(3));
  EXPECT_EQ(deployment->functions[0].input.name, "hello-aot");
  EXPECT_THAT(deployment->functions[0].input.tags, ElementsAre(Pair("kelvin:mode", "aot")));
  EXPECT_EQ(deployment->functions[1].input.name, "my-fn-v2");
  EXPECT_EQ(deployment->functions[2].input.name, "hello-aot-2");
  EXPECT_THAT(deployment->tables, SizeIs(0));
}

TEST_F(DeploymentTest, SaysWhatToDoAboutAMissingPackage) {
  options_.packages = {"/nonexistent/a.zip"};
  EXPECT_THAT(Fault(), HasSubstr("/nonexistent/a.zip"));
  options_.packages.clear();
  std::filesystem::remove(Path("hello-aot.zip"));
  EXPECT_THAT(Fault(), AllOf(HasSubstr("hello-aot.zip"), HasSubstr("make build")));
}

TEST_F(DeploymentTest, RefusesPayloadsThatAreNotJson) {
  options_.payload = "{\"a\":";
  EXPECT_THAT(Fault(), AllOf(HasSubstr("--payload"), HasSubstr("{\"a\":")));
  options_.payload.reset();
  Write("event.json", "{} {}");
  EXPECT_THAT(Fault(), AllOf(HasSubstr("event.json"), HasSubstr("function hello")));
}

TEST_F(DeploymentTest, TakesThePayloadFromAFile) {
  options_.payload = Path("event.json");
  EXPECT_EQ(PlanDeployment(options_)->functions[0].subject.payload, R"({"name":"Ada"})");
}

TEST_F(DeploymentTest, CreatesTablesAndFunctions) {
  const FakeClock clock;
  lab::FakeLambdaClient client(clock);
  http::Request asked;
  const auto deployed =
      Deploy(PlanDeployment(options_).value(), client, [&](const http::Request& request) {
        asked = request;
        return http::Response{.status = 200, .headers = {}, .body = "{}"};
      });
  ASSERT_TRUE(deployed.has_value()) << deployed.error().message;
  EXPECT_EQ(asked.headers.Get("X-Amz-Target"), "DynamoDB_20120810.CreateTable");
  const auto body = boost::json::parse(asked.body);
  EXPECT_EQ(body.at("TableName").as_string(), "items");
  EXPECT_EQ(body.at("KeySchema").at(0).at("AttributeName").as_string(), "Id");
  ASSERT_THAT(client.created, SizeIs(1));
  EXPECT_EQ(client.created[0].name, "hello-aot");
}

TEST_F(DeploymentTest, GivesTheEngineToPackagesThatNeedIt) {
  Write("function.bc", "bitcode");
  for (const char* name : {"a-jit.zip", "b-r2r.zip"}) {
    const auto zip = package::MakeZip({{.name = "function.bc", .source = Path("function.bc")}});
    Write(name, zip.value());
  }
  options_.packages = {Path("a-jit.zip"), Path("b-r2r.zip"), Path("hello-aot.zip")};
  EXPECT_THAT(Fault(), AllOf(HasSubstr("a-jit.zip"), HasSubstr("kelvin-engine.zip")));

  Write("kelvin-engine.zip", "the engine");
  const FakeClock clock;
  lab::FakeLambdaClient client(clock);
  const auto deployed = Deploy(PlanDeployment(options_).value(), client, [](const http::Request&) {
    return http::Response{.status = 200, .headers = {}, .body = "{}"};
  });
  ASSERT_TRUE(deployed.has_value()) << deployed.error().message;
  EXPECT_THAT(client.layers, ElementsAre(Pair("kelvin-engine", "the engine")));
  const std::string arn = "arn:aws:lambda:us-east-1:123456789012:layer:kelvin-engine:1";
  ASSERT_THAT(client.created, SizeIs(3));
  EXPECT_THAT(client.created[0].layers, ElementsAre(arn));
  EXPECT_THAT(client.created[1].layers, ElementsAre(arn));
  EXPECT_THAT(client.created[2].layers, SizeIs(0));
}

TEST_F(DeploymentTest, TakesTheArchitectureFromTheProgram) {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_version = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = EM_AARCH64;
  header.e_ehsize = sizeof header;
  Write("bootstrap", std::string(reinterpret_cast<const char*>(&header), sizeof header));
  const auto zip = package::MakeZip({{.name = "bootstrap", .source = Path("bootstrap")}});
  Write("f-aot-arm64.zip", zip.value());
  options_.packages = {Path("f-aot-arm64.zip"), Path("hello-aot.zip")};
  const auto deployment = PlanDeployment(options_);
  ASSERT_TRUE(deployment.has_value()) << deployment.error().message;
  EXPECT_EQ(deployment->functions[0].input.architecture, "arm64");
  EXPECT_EQ(deployment->functions[0].input.tags.at("kelvin:mode"), "aot");
  EXPECT_EQ(deployment->functions[1].input.architecture, "x86_64");
}

TEST_F(DeploymentTest, NamesTheTableThatCouldNotBeCreated) {
  const FakeClock clock;
  lab::FakeLambdaClient client(clock);
  const auto deployed = Deploy(PlanDeployment(options_).value(), client, [](const http::Request&) {
    return http::Response{.status = 400, .headers = {}, .body = "no such type"};
  });
  ASSERT_FALSE(deployed.has_value());
  EXPECT_THAT(deployed.error().message, AllOf(HasSubstr("items"), HasSubstr("no such type")));
}

TEST_F(DeploymentTest, RunsPackagesOnARuntime) {
  Write("kelvin.toml", R"(
[[runtime]]
name = "nodejs20.x"
folder = "node"
[[function]]
name = "hello"
handlers = { "nodejs20.x" = "index.handler" }
packages."nodejs20.x" = "hello-aot.zip"
)");
  auto deployment = PlanDeployment(options_);
  ASSERT_TRUE(deployment.has_value()) << deployment.error().message;
  EXPECT_EQ(deployment->runtimes.at(0).folder, Path("node"));
  const aws::CreateFunctionInput& configured = deployment->functions.at(0).input;
  EXPECT_EQ(configured.name, "hello-nodejs20x");
  EXPECT_EQ(configured.runtime, "nodejs20.x");
  EXPECT_EQ(configured.handler, "index.handler");
  EXPECT_EQ(configured.tags.at("kelvin:mode"), "nodejs20.x");

  Write("file", "x");
  Write("script.zip", package::MakeZip({{"index.js", folder_.path() / "file"}}).value());
  Write("program.zip", package::MakeZip({{"bootstrap", folder_.path() / "file", true}}).value());
  options_ = {};
  options_.packages = {Path("script.zip"), Path("program.zip")};
  options_.runtime = RuntimeConfig{"python3.11", "python"};
  options_.handler = "main.handler";
  deployment = PlanDeployment(options_);
  ASSERT_TRUE(deployment.has_value()) << deployment.error().message;
  EXPECT_EQ(deployment->runtimes.at(0).name, "python3.11");
  EXPECT_EQ(deployment->functions.at(0).input.runtime, "python3.11");
  EXPECT_EQ(deployment->functions.at(0).input.handler, "main.handler");
  EXPECT_EQ(deployment->functions.at(0).input.tags.at("kelvin:mode"), "python3.11");
  EXPECT_EQ(deployment->functions.at(1).input.runtime, "provided.al2023");
}

}  // namespace
}  // namespace kelvin::cli
