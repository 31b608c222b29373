#include "cli/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kelvin::cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::StartsWith;

std::string FaultOf(std::string_view text) {
  const auto config = ParseConfig(text, "dir/kelvin.toml");
  if (config) return "accepted";
  EXPECT_EQ(config.error().code, ErrorCode::kInvalidArgument);
  return config.error().message;
}

TEST(Config, HasTablesAndFunctionsWithPathsFromItsOwnFolder) {
  const auto config = ParseConfig(R"(
[[table]]
name = "items"
hash_key = { name = "Id" }
range_key = { name = "At", type = "N" }

[[function]]
name = "create-item"
memory = 256
timeout = 10
event = "event.json"
environment = { TABLE_NAME = "items" }
packages.aot = "build/create-item-aot.zip"
packages.jit = "/abs/create-item-jit.zip"
packages_arm64.aot = "arm/create-item-aot-arm64.zip"
)",
                                  "dir/kelvin.toml");
  ASSERT_TRUE(config.has_value()) << config.error().message;
  ASSERT_THAT(config->tables, SizeIs(1));
  EXPECT_EQ(config->tables[0].hash_key.type, "S");
  EXPECT_EQ(config->tables[0].range_key->type, "N");
  ASSERT_THAT(config->functions, SizeIs(1));
  const FunctionConfig& function = config->functions[0];
  EXPECT_EQ(function.name, "create-item");
  EXPECT_EQ(function.memory_mb, 256);
  EXPECT_EQ(function.timeout_seconds, 10);
  EXPECT_EQ(function.event, "dir/event.json");
  EXPECT_THAT(function.environment, ElementsAre(Pair("TABLE_NAME", "items")));
  EXPECT_THAT(function.packages, ElementsAre(Pair("aot", "dir/build/create-item-aot.zip"),
                                             Pair("jit", "/abs/create-item-jit.zip")));
  EXPECT_THAT(function.packages_arm64,
              ElementsAre(Pair("aot", "dir/arm/create-item-aot-arm64.zip")));
}

TEST(Config, HasRuntimesAndPackagesForThem) {
  const auto config = ParseConfig(R"(
[[function]]
name = "hello"
handlers = { "nodejs20.x" = "index.handler" }
packages."nodejs20.x" = "hello-node.zip"
packages.aot = "hello-aot.zip"

[[runtime]]
name = "nodejs20.x"
folder = "runtimes/node"
)",
                                  "dir/kelvin.toml");
  ASSERT_TRUE(config.has_value()) << config.error().message;
  ASSERT_THAT(config->runtimes, SizeIs(1));
  EXPECT_EQ(config->runtimes[0].folder, "dir/runtimes/node");
  EXPECT_EQ(config->functions[0].handlers.at("nodejs20.x"), "index.handler");
  EXPECT_EQ(config->functions[0].packages.at("nodejs20.x"), "dir/hello-node.zip");
  EXPECT_THAT(FaultOf("[[runtime]]\nname = \"r\"\n"), HasSubstr("to have a folder"));
  EXPECT_THAT(FaultOf("[[runtime]]\nname = \"r\"\nfolder = \"d\"\n"
                      "[[function]]\nname = \"f\"\npackages.r = \"a\"\n"),
              HasSubstr("handlers.\"r\" = \"index.handler\""));
}

TEST(Config, NamesTheLineOfAFault) {
  EXPECT_THAT(FaultOf("[[function]]\nname = \"f\"\nmemory = 64\npackages.aot = \"a\"\n"),
              AllOf(StartsWith("dir/kelvin.toml:3: "), HasSubstr("memory from 128 to 10240"),
                    HasSubstr("got 64")));
  EXPECT_THAT(FaultOf("[[function]]\nname = \"f\"\n\nmemroy = 128\n"),
              AllOf(StartsWith("dir/kelvin.toml:4: "), HasSubstr("did you mean memory?")));
  EXPECT_THAT(FaultOf("a = 1\nb = \n"), AllOf(StartsWith("dir/kelvin.toml:"), HasSubstr("TOML")));
}

TEST(Config, SaysWhatItExpected) {
  EXPECT_THAT(FaultOf("function = 1\n"), HasSubstr("expected [[function]], got an integer"));
  EXPECT_THAT(FaultOf("[[function]]\npackages.aot = \"a\"\n"),
              HasSubstr("expected [[function]] to have a name"));
  EXPECT_THAT(FaultOf("[[function]]\nname = 1\n"), HasSubstr("expected a string as name"));
  EXPECT_THAT(FaultOf("[[function]]\nname = \"\"\n"), HasSubstr("not empty"));
  EXPECT_THAT(FaultOf("[[function]]\nname = \"f\"\n"), HasSubstr("packages.aot = \"f.zip\""));
  EXPECT_THAT(FaultOf("[[function]]\nname = \"f\"\npackages.gcc = \"a\"\n"),
              HasSubstr("modes jit, r2r and aot, or by a [[runtime]] of this file, got gcc"));
  EXPECT_THAT(FaultOf("[[function]]\nname = \"f\"\nmemory = \"big\"\n"), HasSubstr("got a string"));
  EXPECT_THAT(FaultOf("[[function]]\nname = \"f\"\nenvironment = { A = 1 }\n"),
              HasSubstr("expected a string as A"));
  EXPECT_THAT(FaultOf("[[table]]\nname = \"t\"\n"), HasSubstr("hash_key"));
  EXPECT_THAT(FaultOf("[[table]]\nname = \"t\"\nhash_key = { name = \"k\", type = \"X\" }\n"),
              HasSubstr("type S, N or B, got X"));
}

TEST(Config, RefusesTwoFunctionsOfOneName) {
  EXPECT_THAT(FaultOf("[[function]]\nname = \"f\"\npackages.aot = \"a\"\n"
                      "[[function]]\nname = \"f\"\npackages.aot = \"b\"\n"),
              AllOf(StartsWith("dir/kelvin.toml:4: "), HasSubstr("a name of its own")));
}

TEST(Config, SaysHowToDoWithoutAFile) {
  const auto config = ReadConfig("/nonexistent/kelvin.toml");
  ASSERT_FALSE(config.has_value());
  EXPECT_EQ(config.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(config.error().message,
              AllOf(HasSubstr("/nonexistent/kelvin.toml"), HasSubstr("--endpoint-url")));
}

}  // namespace
}  // namespace kelvin::cli
