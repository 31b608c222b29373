#include "cli/measure.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "cli/exit_code.h"
#include "cli/fake_host.h"
#include "cli/invoke.h"
#include "lab/fake_lambda_client.h"

namespace kelvin::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class MeasureTest : public ::testing::Test {
 protected:
  MeasureTest() : folder_(TemporaryDirectory::Create().value()) {
    options_.out = (folder_.path() / "out").native();
    options_.plan = {.cold = 3, .warm_up = 1, .warm = 5, .seed = 7};
    client_.Add("f");
    record_.pricing = {"2026-11-23", "us-east-1", 0.01};
  }

  int Measure() {
    const Host host = host_.host();
    const int exit_code =
        MeasureAndSave(client_, {lab::Subject{.name = "f"}}, options_, stop_, host, record_);
    return WriteReports(record_, options_, lab::ParsePriceTable(lab::BuiltInPrices()).value(), host,
                        exit_code);
  }
  std::string Saved(const char* name) const {
    return ReadFile(std::filesystem::path(options_.out) / name).value_or("");
  }

  TemporaryDirectory folder_;
  CompareOptions options_;
  FakeHost host_;
  lab::FakeLambdaClient client_{host_.clock};
  std::function<bool()> stop_ = [] { return false; };
  lab::Record record_;
};

TEST_F(MeasureTest, PrintsTheTableAndSavesRecordAndMarkdown) {
  EXPECT_EQ(Measure(), kExitOk) << host_.err;
  EXPECT_THAT(host_.out,
              AllOf(HasSubstr("Function"), HasSubstr("10.0 ms"), Not(HasSubstr("\x1b"))));
  const auto saved = boost::json::parse(Saved("compare.json"));
  EXPECT_EQ(saved.at("state").as_string(), "finished");
  EXPECT_EQ(saved.at("samples").as_array().size(), 9U);
  EXPECT_THAT(Saved("compare.md"), HasSubstr("| f | aot |"));
  EXPECT_THAT(host_.err, HasSubstr("compare.json"));
}

TEST_F(MeasureTest, PrintsTheRecordAloneAsJson) {
  options_.format = Format::kJson;
  EXPECT_EQ(Measure(), kExitOk);
  EXPECT_EQ(host_.out, Saved("compare.json"));
}

TEST_F(MeasureTest, KeepsWhatItHasWhenInterrupted) {
  stop_ = [this] { return client_.invokes == 4; };
  EXPECT_EQ(Measure(), kExitInterrupted);
  const auto saved = boost::json::parse(Saved("compare.json"));
  EXPECT_EQ(saved.at("state").as_string(), "interrupted");
  EXPECT_EQ(saved.at("samples").as_array().size(), 4U);
  EXPECT_THAT(host_.err, AllOf(HasSubstr("compare.json"), HasSubstr("interrupted")));
  EXPECT_THAT(host_.out, HasSubstr("Function"));
}

TEST_F(MeasureTest, FailsTheRunWhenAFunctionFails) {
  client_.bend_invoke = [](auto&, aws::InvokeResult& result) {
    result.function_error = "Unhandled";
    result.payload = R"({"errorType":"Runtime.ExitError"})";
  };
  EXPECT_EQ(Measure(), kExitFinding);
  EXPECT_THAT(host_.err,
              AllOf(HasSubstr("kelvin: f was given up"), HasSubstr("Runtime.ExitError")));
}

TEST_F(MeasureTest, SaysThatTheEndpointIsDown) {
  client_.failures_of_get.assign(50, Error{ErrorCode::kUnavailable, "cannot connect"});
  EXPECT_EQ(Measure(), kExitEnvironment);
  EXPECT_THAT(host_.err, AllOf(HasSubstr("kelvin: cannot connect"), HasSubstr("kelvin serve")));
  EXPECT_EQ(host_.out, "");
}

TEST_F(MeasureTest, SaysThatTheOutputFolderCannotBeWritten) {
  options_.out = "/proc/nowhere";
  EXPECT_EQ(Measure(), kExitEnvironment);
  EXPECT_THAT(host_.err, HasSubstr("/proc/nowhere"));
}

TEST_F(MeasureTest, ShowsProgressInPlainLinesWhereThereIsNoTerminal) {
  EXPECT_EQ(Measure(), kExitOk);
  EXPECT_THAT(host_.err, AllOf(HasSubstr("0/9 cold starts\n"), HasSubstr("warm invokes"),
                               Not(HasSubstr("\x1b"))));
}

TEST(InvokeOnce, PrintsTheAnswerAndTheLogApart) {
  FakeHost host;
  lab::FakeLambdaClient client(host.clock);
  client.Add("f");
  InvokeOptions options{.function = "f", .payload = "[1]"};
  options.log = aws::LogType::kTail;
  EXPECT_EQ(InvokeOnce(client, options, host.host()), kExitOk);
  EXPECT_EQ(host.out, "{}\n");
  EXPECT_THAT(host.err, HasSubstr("REPORT RequestId"));
  EXPECT_EQ(client.payloads.back(), "[1]");
}

TEST(InvokeOnce, EndsWithOneWhenTheFunctionFailed) {
  FakeHost host;
  lab::FakeLambdaClient client(host.clock);
  client.Add("f");
  client.bend_invoke = [](auto&, aws::InvokeResult& result) {
    result.function_error = "Unhandled";
  };
  EXPECT_EQ(InvokeOnce(client, {.function = "f"}, host.host()), kExitFinding);
  EXPECT_THAT(host.err, HasSubstr("function f failed: Unhandled"));
}

TEST(InvokeOnce, RefusesAPayloadThatIsNotJson) {
  FakeHost host;
  lab::FakeLambdaClient client(host.clock);
  EXPECT_EQ(InvokeOnce(client, {.function = "f", .payload = "nope"}, host.host()), kExitUsage);
  EXPECT_THAT(host.err, HasSubstr("expected --payload to be JSON"));
}

TEST(InvokeOnce, NamesAFunctionThatDoesNotExist) {
  FakeHost host;
  lab::FakeLambdaClient client(host.clock);
  EXPECT_EQ(InvokeOnce(client, {.function = "f"}, host.host()), kExitEnvironment);
  EXPECT_THAT(host.err, HasSubstr("Function not found: f"));
}

TEST(Style, FollowsTerminalLocaleAndNoColor) {
  FakeHost fake;
  Host host = fake.host();
  EXPECT_EQ(StyleOf(host).color, lab::Color::kNo);
  host.out.terminal = true;
  EXPECT_EQ(StyleOf(host).color, lab::Color::kYes);
  EXPECT_EQ(StyleOf(host).glyphs, lab::Glyphs::kAscii);
  fake.environment["LANG"] = "en_US.UTF-8";
  EXPECT_EQ(StyleOf(host).glyphs, lab::Glyphs::kUnicode);
  fake.environment["LC_ALL"] = "C";
  EXPECT_EQ(StyleOf(host).glyphs, lab::Glyphs::kAscii);
  fake.environment["NO_COLOR"] = "1";
  EXPECT_EQ(StyleOf(host).color, lab::Color::kNo);
}

}  // namespace
}  // namespace kelvin::cli
