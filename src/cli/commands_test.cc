#include "cli/commands.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "cli/example_events.h"
#include "cli/exit_code.h"
#include "cli/fake_host.h"
#include "cli/payload.h"

namespace kelvin::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class CommandsTest : public ::testing::Test {
 protected:
  int Run(const std::vector<std::string>& arguments) { return RunCommand(arguments, host_.host()); }
  FakeHost host_;
};

TEST_F(CommandsTest, SuggestTheCommandThatWasMeant) {
  EXPECT_EQ(Run({"comapre"}), kExitUsage);
  EXPECT_EQ(
      host_.err,
      "kelvin: expected a command, got 'comapre'; did you mean compare?; see 'kelvin help'\n");
}

TEST_F(CommandsTest, PrintHelpToStandardErrorWhenThereIsNone) {
  EXPECT_EQ(Run({}), kExitUsage);
  EXPECT_THAT(host_.err, HasSubstr("Usage: kelvin COMMAND"));
  EXPECT_THAT(host_.out, IsEmpty());
}

TEST_F(CommandsTest, HaveHelpWithExamples) {
  EXPECT_EQ(Run({"--help"}), kExitOk);
  for (const char* command :
       {"compare", "sweep",   "report",   "cost",    "advise",     "serve",  "tables",
        "invoke",  "events",  "logs",     "inspect", "assess",     "pack",   "template",
        "deploy",  "rollout", "rollback", "destroy", "completion", "version"}) {
    EXPECT_THAT(host_.out, HasSubstr(command));
    FakeHost host;
    EXPECT_EQ(RunCommand({command, "--help"}, host.host()), kExitOk);
    EXPECT_THAT(host.out,
                AllOf(HasSubstr("Examples:"), HasSubstr(std::string("kelvin ") + command)));
    FakeHost other;
    EXPECT_EQ(RunCommand({"help", command}, other.host()), kExitOk);
    EXPECT_EQ(other.out, host.out);
  }
}

TEST_F(CommandsTest, CompleteCommandsOptionsAndValues) {
  const auto candidates = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "complete");
    FakeHost host;
    EXPECT_EQ(RunCommand(words, host.host()), kExitOk);
    return host.out;
  };
  EXPECT_EQ(candidates({"ro"}), "rollout\nrollback\n");
  EXPECT_THAT(candidates({}), AllOf(HasSubstr("compare\n"), HasSubstr("version\n")));
  EXPECT_EQ(candidates({"help", "ta"}), "tables\n");
  EXPECT_EQ(candidates({"serve", "--po"}), "--port\n");
  EXPECT_EQ(candidates({"serve", "--port", ""}), "");
  EXPECT_EQ(candidates({"serve", "--fsync", ""}), "always\nbackground\n");
  EXPECT_EQ(candidates({"serve", "--ephemeral-tables", "--fs"}), "--fsync\n");
  EXPECT_EQ(candidates({"completion", "b"}), "bash\n");
  EXPECT_EQ(candidates({"nonsense", "--x"}), "");
}

TEST_F(CommandsTest, PrintExampleEventsThatAreJson) {
  EXPECT_EQ(Run({"events"}), kExitOk);
  EXPECT_THAT(host_.out, HasSubstr("s3-put"));
  for (const ExampleEvent& event : ExampleEvents()) {
    EXPECT_THAT(host_.out, HasSubstr(event.name));
    FakeHost host;
    EXPECT_EQ(RunCommand({"events", std::string(event.name)}, host.host()), kExitOk);
    EXPECT_TRUE(boost::json::parse(host.out).is_object()) << event.name;
    EXPECT_EQ(ReadPayload("example:" + std::string(event.name)).value(), event.json);
  }
}

TEST_F(CommandsTest, SuggestTheExampleEventThatWasMeant) {
  EXPECT_EQ(Run({"events", "sqss"}), kExitUsage);
  EXPECT_EQ(host_.err,
            "kelvin: expected the name of an example event, got 'sqss'; did you mean sqs?; see "
            "'kelvin events'\n");
  EXPECT_THAT(ReadPayload("example:s3-pot").error().message, HasSubstr("did you mean s3-put?"));
}

TEST_F(CommandsTest, SayTheVersion) {
  EXPECT_EQ(Run({"version"}), kExitOk);
  EXPECT_THAT(host_.out, StartsWith("kelvin 0."));
}

TEST_F(CommandsTest, RefuseWhatTheyDoNotKnow) {
  EXPECT_EQ(Run({"serve", "--no-such-option"}), kExitUsage);
  EXPECT_THAT(host_.err, HasSubstr("--no-such-option"));
}

TEST_F(CommandsTest, WriteANewFunctionWhereNothingIs) {
  auto folder = TemporaryDirectory::Create();
  ASSERT_TRUE(folder.has_value());
  const std::string place = (folder->path() / "services/orders").native();
  EXPECT_EQ(Run({"new", place + "/"}), kExitOk) << host_.err;
  EXPECT_THAT(host_.out, HasSubstr("cd " + place));
  EXPECT_THAT(ReadFile(place + "/CMakeLists.txt").value(), HasSubstr("kelvin_add_function(orders"));
  EXPECT_EQ(Run({"new", place}), kExitUsage);
  EXPECT_THAT(host_.err, HasSubstr("expected a folder that is new or empty, got " + place));
}

TEST_F(CommandsTest, PackFiles) {
  auto folder = TemporaryDirectory::Create();
  ASSERT_TRUE(folder.has_value());
  ASSERT_TRUE(WriteFileAtomically(folder->path() / "bootstrap", "#!/bin/sh\n", 0755).has_value());
  const std::string zip = (folder->path() / "f.zip").native();
  EXPECT_EQ(Run({"pack", "--output", zip, "--file",
                 "bootstrap=" + (folder->path() / "bootstrap").native()}),
            kExitOk)
      << host_.err;
  EXPECT_THAT(host_.out, StartsWith(zip));
  EXPECT_THAT(ReadFile(zip).value(), StartsWith("PK"));
}

TEST_F(CommandsTest, SayWhatPackExpects) {
  EXPECT_EQ(Run({"pack", "--output", "/nonexistent/f.zip", "--file", "bootstrap"}), kExitUsage);
  EXPECT_THAT(host_.err, HasSubstr("expected --file NAME=PATH"));
}

TEST_F(CommandsTest, SayThatAPackageIsMissing) {
  EXPECT_EQ(Run({"compare", "/nonexistent/none.zip"}), kExitUsage);
  EXPECT_THAT(host_.err, HasSubstr("/nonexistent/none.zip"));
}

TEST_F(CommandsTest, SayThatAPriceFileIsWrong) {
  auto folder = TemporaryDirectory::Create();
  ASSERT_TRUE(folder.has_value());
  const std::string prices = (folder->path() / "prices.json").native();
  ASSERT_TRUE(WriteFileAtomically(prices, "{}").has_value());
  EXPECT_EQ(Run({"compare", "--prices", prices}), kExitUsage);
  EXPECT_THAT(host_.err, AllOf(HasSubstr(prices), HasSubstr("'date'")));
}

}  // namespace
}  // namespace kelvin::cli
