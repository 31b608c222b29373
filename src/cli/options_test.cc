#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "cli/compare_options.h"
#include "cli/exit_code.h"
#include "cli/invoke.h"
#include "cli/runtime_options.h"
#include "cli/serve_options.h"
#include "cli/suggest.h"
#include "cli/tables_options.h"

namespace kelvin::cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

template <typename Options>
std::string UsageErrorOf(const std::expected<Options, Stop>& options) {
  if (options) return "accepted";
  EXPECT_EQ(options.error().exit_code, kExitUsage);
  return options.error().text;
}

TEST(CompareOptions, HaveTheDocumentedDefaults) {
  const auto options = ParseCompare({});
  ASSERT_TRUE(options.has_value()) << options.error().text;
  EXPECT_EQ(options->plan.cold, 20);
  EXPECT_EQ(options->plan.warm, 200);
  EXPECT_EQ(options->config, "kelvin.toml");
  EXPECT_EQ(options->out, "out");
  EXPECT_FALSE(options->seed_given);
  EXPECT_FALSE(options->memory_mb.has_value());
  EXPECT_FALSE(options->payload.has_value());
  EXPECT_EQ(options->format, Format::kTable);
}

TEST(CompareOptions, TellPackagesFromFunctions) {
  const auto options = ParseCompare({"hello", "a.zip", "--cold", "3", "transform-aot"});
  ASSERT_TRUE(options.has_value()) << options.error().text;
  EXPECT_THAT(options->functions, ElementsAre("hello", "transform-aot"));
  EXPECT_THAT(options->packages, ElementsAre("a.zip"));
  EXPECT_EQ(options->plan.cold, 3);
}

TEST(CompareOptions, TakeEveryOption) {
  const auto options = ParseCompare(
      {"f",   "--warm=5",  "--warm-up",  "0",        "--seed", "9",        "--memory",
       "512", "--payload", "{\"a\":1}",  "--out",    "o",      "--json",   "--cold-share",
       "0.5", "--region",  "eu-south-1", "--prices", "p.json", "--config", "k.toml"});
  ASSERT_TRUE(options.has_value()) << options.error().text;
  EXPECT_EQ(options->plan.seed, 9U);
  EXPECT_TRUE(options->seed_given);
  EXPECT_EQ(options->memory_mb, 512);
  EXPECT_EQ(options->payload, "{\"a\":1}");
  EXPECT_EQ(options->format, Format::kJson);
  EXPECT_DOUBLE_EQ(options->cold_share, 0.5);
}

TEST(CompareOptions, SayWhatTheyExpected) {
  EXPECT_THAT(UsageErrorOf(ParseCompare({"--cold", "many"})),
              AllOf(HasSubstr("--cold"), HasSubstr("expected a whole number from 0 to 1000000"),
                    HasSubstr("'many'"), HasSubstr("kelvin compare --help")));
  EXPECT_THAT(UsageErrorOf(ParseCompare({"--memory", "64"})), HasSubstr("from 128 to 10240"));
  EXPECT_THAT(UsageErrorOf(ParseCompare({"--cold-share", "2"})), HasSubstr("from 0 to 1"));
  EXPECT_THAT(UsageErrorOf(ParseCompare({"--cold", "0", "--warm", "0"})),
              HasSubstr("nothing would be measured"));
  EXPECT_THAT(UsageErrorOf(ParseCompare({"--cold"})), HasSubstr("--cold"));
}

TEST(CompareOptions, NameTheOptionThatWasProbablyMeant) {
  EXPECT_THAT(UsageErrorOf(ParseCompare({"--wram", "5"})), HasSubstr("did you mean --warm?"));
}

TEST(CompareOptions, FitTheirTarget) {
  EXPECT_THAT(UsageErrorOf(ParseCompare({"--endpoint-url", "http://127.0.0.1:1"})),
              HasSubstr("at least one function"));
  EXPECT_THAT(UsageErrorOf(ParseCompare({"a.zip", "--endpoint-url", "http://127.0.0.1:1"})),
              HasSubstr("a.zip"));
  EXPECT_THAT(
      UsageErrorOf(ParseCompare({"f", "--memory", "512", "--endpoint-url", "http://127.0.0.1:1"})),
      HasSubstr("--memory"));
}

TEST(CompareOptions, HelpHasExamples) {
  const auto help = ParseCompare({"--help"});
  ASSERT_FALSE(help.has_value());
  EXPECT_EQ(help.error().exit_code, kExitOk);
  EXPECT_THAT(help.error().text, AllOf(HasSubstr("Examples:"), HasSubstr("kelvin compare hello"),
                                       HasSubstr("--warm-up")));
}

TEST(RepeatArguments, RepeatTheRunWithItsSeed) {
  const std::vector<std::string> given = {"hello", "--payload", "{\"it's\": 1}", "--cold", "3"};
  auto options = ParseCompare(given);
  ASSERT_TRUE(options.has_value());
  options->plan.seed = 77;
  const auto words = RepeatArguments("compare", given, *options);
  EXPECT_EQ(ShellLine(words),
            "kelvin compare hello --payload '{\"it'\\''s\": 1}' --cold 3 --seed 77");
  const std::vector<std::string> again(words.begin() + 1, words.end());
  EXPECT_EQ(RepeatArguments("compare", again, ParseCompare(again).value()), words);
}

TEST(CompareOptions, TellFunctionsThatExistFromThoseToDeploy) {
  const auto arn = ParseCompare({"arn:aws:lambda:eu-west-1:123456789012:function:f"});
  ASSERT_TRUE(arn.has_value()) << arn.error().text;
  EXPECT_TRUE(arn->remote);
  EXPECT_EQ(arn->region, "eu-west-1");
  EXPECT_TRUE(ParseCompare({"--function", "f"})->remote);
  EXPECT_TRUE(ParseCompare({"f", "--profile", "work"})->remote);
  EXPECT_FALSE(ParseCompare({"f"})->remote);
  EXPECT_THAT(ParseCompare({"--profile", "work"}).error().text, HasSubstr("at least one function"));
}

TEST(CompareOptions, TakeTwoRecordsAndRules) {
  const auto options =
      ParseCompare({"a.json", "b.json", "--fail-if", "cold.p50 > 10%", "--fail-if", "memory > 5%"});
  ASSERT_TRUE(options.has_value()) << options.error().text;
  EXPECT_EQ(options->records.size(), 2U);
  EXPECT_EQ(options->fail_if.size(), 2U);
  EXPECT_THAT(ParseCompare({"a.json"}).error().text, HasSubstr("two records"));
  EXPECT_THAT(ParseCompare({"f", "--fail-if", "x"}).error().text, HasSubstr("two records"));
  EXPECT_THAT(ParseCompare({"a.json", "b.json", "f"}).error().text, HasSubstr("nothing else"));
}

TEST(CompareOptions, TakeATimeBudget) {
  EXPECT_EQ(ParseCompare({"--budget", "90s"})->budget, std::chrono::seconds{90});
  EXPECT_EQ(ParseCompare({"--budget", "1.5m"})->budget, std::chrono::seconds{90});
  for (const char* bad : {"0", "-1s", "soon", "5h", "nan"}) {
    EXPECT_THAT(ParseCompare({"--budget", bad}).error().text, HasSubstr("--budget")) << bad;
  }
}

TEST(SweepOptions, TakeMemorySizesAndAStrategy) {
  const auto options = ParseSweep({"f", "--memory", "128,512", "--strategy", "cost"});
  ASSERT_TRUE(options.has_value()) << options.error().text;
  EXPECT_EQ(options->sweep_memory, (std::vector<int>{128, 512}));
  EXPECT_EQ(options->sweep.strategy, lab::Strategy::kCost);
  EXPECT_EQ(ParseSweep({"f"})->sweep_memory.size(), 5U);
  EXPECT_THAT(ParseSweep({"f", "--memory", "64"}).error().text, HasSubstr("128 to 10240"));
  EXPECT_THAT(ParseSweep({"f", "g"}).error().text, HasSubstr("one function"));
  EXPECT_FALSE(ParseSweep({"f", "--strategy", "luck"}).has_value());
}

TEST(ServeOptions, HaveTheDocumentedDefaults) {
  const auto options = ParseServe({});
  ASSERT_TRUE(options.has_value());
  EXPECT_EQ(options->host, "127.0.0.1");
  EXPECT_EQ(options->port, 9001);
  EXPECT_EQ(options->state_dir, ".kelvin");
  EXPECT_EQ(options->storage, tables::Storage::kDurable);
  EXPECT_FALSE(options->ready.fd.has_value());
}

TEST(ServeOptions, TakeEveryOption) {
  const auto options = ParseServe({"--host", "::1", "--port", "0", "--state-dir", "s", "--region",
                                   "eu-west-1", "--ephemeral-tables", "--fsync", "background",
                                   "--ready-fd", "3", "--ready-file", "r"});
  ASSERT_TRUE(options.has_value()) << options.error().text;
  EXPECT_EQ(options->storage, tables::Storage::kEphemeral);
  EXPECT_EQ(options->sync, tables::Sync::kInBackground);
  EXPECT_EQ(options->ready.fd, 3);
  EXPECT_EQ(options->ready.file, "r");
}

TEST(ServeOptions, RefuseToListenToANetwork) {
  EXPECT_THAT(UsageErrorOf(ParseServe({"--host", "0.0.0.0"})),
              AllOf(HasSubstr("0.0.0.0"), HasSubstr("127.0.0.1")));
  EXPECT_THAT(UsageErrorOf(ParseServe({"--host", "192.168.1.5"})), HasSubstr("loopback"));
}

TEST(ServeOptions, RefusePortsAndArgumentsThatCannotBe) {
  EXPECT_THAT(UsageErrorOf(ParseServe({"--port", "65536"})), HasSubstr("from 0 to 65535"));
  EXPECT_THAT(UsageErrorOf(ParseServe({"now"})), HasSubstr("'now'"));
  EXPECT_THAT(UsageErrorOf(ParseServe({"--no-such-option"})), HasSubstr("--no-such-option"));
}

TEST(InvokeOptions, NeedAFunction) {
  EXPECT_THAT(UsageErrorOf(ParseInvoke({})), HasSubstr("FUNCTION"));
  const auto options = ParseInvoke({"f", "--tail"});
  ASSERT_TRUE(options.has_value());
  EXPECT_EQ(options->function, "f");
  EXPECT_EQ(options->log, aws::LogType::kTail);
}

TEST(Suggest, FindsSlipsAndNothingFarAway) {
  const std::vector<std::string> names = {"compare", "serve", "pack"};
  EXPECT_EQ(Suggest("comapre", names), "compare");
  EXPECT_EQ(Suggest("serv", names), "serve");
  EXPECT_EQ(Suggest("xyz", names), std::nullopt);
  EXPECT_THAT(DidYouMean("xyz", names), IsEmpty());
}

TEST(TablesOptions, OfferTablesToANetworkOnlyWithSignatures) {
  const auto refused = ParseTablesServe({"--host", "0.0.0.0"});
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().text.find("--require-signature"), std::string::npos);
  EXPECT_TRUE(ParseTablesServe({"--host", "0.0.0.0", "--require-signature"}).has_value());
}

TEST(TablesOptions, ReadsHowItemsAreKept) {
  const auto options = ParseTablesServe({"--ephemeral", "--fsync", "background", "--port", "0"});
  ASSERT_TRUE(options.has_value());
  EXPECT_EQ(options->storage, tables::Storage::kEphemeral);
  EXPECT_EQ(options->sync, tables::Sync::kInBackground);
  EXPECT_FALSE(ParseTablesServe({"--fsync", "never"}).has_value());
}

TEST(TransferOptions, TakeATableAndAFile) {
  const auto options =
      ParseTransfer(TransferOptions::Direction::kImport, {"music", "items.jsonl", "--key", "id:S"});
  ASSERT_TRUE(options.has_value());
  EXPECT_EQ(options->table, "music");
  EXPECT_EQ(options->file, "items.jsonl");
  EXPECT_EQ(options->key, "id:S");
  EXPECT_FALSE(ParseTransfer(TransferOptions::Direction::kExport, {}).has_value());
}

TEST(ServeOptions, TakeRuntimes) {
  const auto options = ParseServe(
      {"--runtime", "nodejs20.x=a", "--runtime", "python3.11=b=c", "--config", "k.toml"});
  ASSERT_TRUE(options.has_value()) << options.error().text;
  ASSERT_EQ(options->runtimes.size(), 2u);
  EXPECT_EQ(options->runtimes[0].name, "nodejs20.x");
  EXPECT_EQ(options->runtimes[0].folder, "a");
  EXPECT_EQ(options->runtimes[1].folder, "b=c");
  EXPECT_EQ(options->config, "k.toml");
  for (const char* text : {"nodejs20.x", "=a", "nodejs20.x=", "provided.al2023=a", "a b=c"}) {
    EXPECT_THAT(UsageErrorOf(ParseServe({"--runtime", text})), HasSubstr("NAME=FOLDER")) << text;
  }
}

TEST(CompareOptions, TakeARuntimeWithAHandler) {
  const auto options =
      ParseCompare({"a.zip", "--runtime", "nodejs20.x=a", "--handler", "index.handler"});
  ASSERT_TRUE(options.has_value()) << options.error().text;
  EXPECT_EQ(options->runtime->name, "nodejs20.x");
  EXPECT_EQ(options->handler, "index.handler");
  EXPECT_THAT(UsageErrorOf(ParseCompare({"a.zip", "--handler", "x.y"})), HasSubstr("together"));
  EXPECT_THAT(UsageErrorOf(ParseCompare({"a.zip", "--runtime", "x", "--handler", "x.y"})),
              HasSubstr("NAME=FOLDER"));
}

TEST(Runtimes, AreFoundInTheirFolders) {
  const auto folder = TemporaryDirectory::Create().value();
  const auto make = [&](const std::filesystem::path& path) {
    std::filesystem::create_directories((folder.path() / path).parent_path());
    std::ofstream(folder.path() / path) << "x";
  };
  make("own/bootstrap");
  make("own/lang/bin/x");
  make("image/var/runtime/bootstrap");
  make("image/var/lang/bin/x");
  make("bare/bootstrap");
  const auto found = FindRuntimes({{"own", folder.path() / "own"},
                                   {"image", folder.path() / "image"},
                                   {"bare", folder.path() / "own"},
                                   {"bare", folder.path() / "bare"}});
  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_EQ(found->at("own").runtime, folder.path() / "own");
  EXPECT_EQ(found->at("own").language, folder.path() / "own/lang");
  EXPECT_EQ(found->at("image").runtime, folder.path() / "image/var/runtime");
  EXPECT_EQ(found->at("image").language, folder.path() / "image/var/lang");
  EXPECT_EQ(found->at("bare").runtime, folder.path() / "bare");
  EXPECT_EQ(found->at("bare").language, "");
  const auto missing = FindRuntimes({{"none", folder.path() / "image/var"}});
  ASSERT_FALSE(missing.has_value());
  EXPECT_THAT(missing.error().message, HasSubstr("expected a bootstrap of the runtime none"));
}

}  // namespace
}  // namespace kelvin::cli
