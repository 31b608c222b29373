#include <future>
#include <set>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "service/service.h"
#include "service/service_fixture.h"

namespace kelvin::service {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

constexpr std::string_view kReport =
    "REPORT RequestId: [-0-9a-f]+\tDuration: [0-9]+\\.[0-9][0-9] ms\tBilled Duration: [0-9]+ ms\t"
    "Memory Size: 128 MB\tMax Memory Used: [0-9]+ MB\t";

class ServiceTest : public ServiceFixture {
 protected:
  void SetUp() override { Start(); }
};

TEST_F(ServiceTest, AnswersWhatTheFunctionAnswers) {
  CreateFunction("f", "echo");
  const auto response = Invoke("f", R"({"a":1})");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, R"({"a":1})");
  EXPECT_EQ(response.headers.Get("X-Amz-Executed-Version"), "$LATEST");
  EXPECT_FALSE(response.headers.Has("X-Amz-Function-Error"));
  EXPECT_EQ(response.headers.Get("x-amzn-RequestId").size(), 36u);
}

TEST_F(ServiceTest, LogsAsLambdaDoes) {
  CreateFunction("f", "print");
  std::string cold;
  InvokeForLog("f", cold, "7");
  EXPECT_THAT(cold,
              MatchesRegex("START RequestId: [-0-9a-f]+ Version: \\$LATEST\n"
                           "printed 7\n"
                           "END RequestId: [-0-9a-f]+\n" +
                           std::string(kReport) + "Init Duration: [0-9]+\\.[0-9][0-9] ms\t\n"));
  std::string warm;
  InvokeForLog("f", warm, "8");
  EXPECT_THAT(warm, MatchesRegex("START RequestId: [-0-9a-f]+ Version: \\$LATEST\n"
                                 "printed 8\n"
                                 "END RequestId: [-0-9a-f]+\n" +
                                 std::string(kReport) + "\n"));
}

TEST_F(ServiceTest, HandsOnTheErrorOfAFunction) {
  CreateFunction("f", "fail");
  const auto response = Invoke("f");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.Get("X-Amz-Function-Error"), "Unhandled");
  EXPECT_EQ(response.body, R"({"errorMessage":"no","errorType":"Broken"})");
}

struct Ending {
  std::string_view handler;
  std::string_view error_type;
  std::string_view message;
};

class BadBootstrap : public ServiceTest, public ::testing::WithParamInterface<Ending> {};

TEST_P(BadBootstrap, IsAnsweredAtOnceAndReplaced) {
  CreateFunction("f", GetParam().handler, GetParam().handler == "hang" ? 1 : 60);
  for (int i = 0; i < 2; ++i) {
    std::string log;
    const auto response = InvokeForLog("f", log);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.headers.Get("X-Amz-Function-Error"), "Unhandled");
    const auto body = boost::json::parse(response.body);
    EXPECT_EQ(body.at("errorType").as_string(), GetParam().error_type);
    EXPECT_THAT(std::string(body.at("errorMessage").as_string()), HasSubstr(GetParam().message));
    EXPECT_THAT(log, ContainsRegex("REPORT RequestId: "));
    EXPECT_THAT(log, ContainsRegex("END RequestId: "));
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, BadBootstrap,
    ::testing::Values(
        Ending{"exit-1", "Runtime.ExitError", "Runtime exited with error: exit status 1"},
        Ending{"exit-0", "Runtime.ExitError", "Runtime exited without providing a reason"},
        Ending{"crash", "Runtime.ExitError",
               "Runtime exited with error: signal: segmentation fault"},
        Ending{"hang", "Sandbox.Timedout", "Task timed out after 1.00 seconds"},
        Ending{"exit-in-init", "Runtime.ExitError", "Runtime exited with error: exit status 3"},
        Ending{"init-error", "NoSuchHandler", "no handler"},
        Ending{"seven-mb", "Function.ResponseSizeTooLarge",
               "Response payload size exceeded maximum allowed payload size (6291556 bytes)."}),
    [](const auto& test) {
      std::string name(test.param.handler);
      std::erase(name, '-');
      return name;
    });

TEST_F(ServiceTest, SaysWhyAnInitFailed) {
  CreateFunction("f", "exit-in-init");
  std::string log;
  InvokeForLog("f", log);
  EXPECT_THAT(log, ContainsRegex("INIT_REPORT Init Duration: [0-9.]+ ms\tPhase: invoke\t"
                                 "Status: error\tError Type: Runtime.ExitError\n"));
  EXPECT_THAT(log, ContainsRegex("REPORT .*Status: error\tError Type: Runtime.ExitError\n"));
}

TEST_F(ServiceTest, EndsAFunctionThatNeverAnswers) {
  CreateFunction("f", "hang", 1);
  std::string log;
  InvokeForLog("f", log);
  EXPECT_THAT(log, ContainsRegex("Task timed out after 1.00 seconds\n\n"));
  EXPECT_THAT(log, HasSubstr("\tDuration: 1000.00 ms\t"));
  EXPECT_THAT(log, ContainsRegex("\tStatus: timeout\n"));
}

TEST_F(ServiceTest, RefusesASecondAnswer) {
  CreateFunction("f", "twice");
  std::string log;
  EXPECT_EQ(InvokeForLog("f", log).body, "1");
  EXPECT_THAT(log, HasSubstr("second answer 403"));
  EXPECT_EQ(Invoke("f").body, "1");
}

TEST_F(ServiceTest, TellsARuntimeThatItsAnswerIsTooLarge) {
  CreateFunction("f", "seven-mb");
  std::string log;
  InvokeForLog("f", log);
  EXPECT_THAT(log, HasSubstr("answered 413"));
}

TEST_F(ServiceTest, HandsOnBinaryAnswers) {
  CreateFunction("f", "binary");
  EXPECT_EQ(Invoke("f").body, std::string("\x00\xff\xfe\r\n\x80", 6));
}

TEST_F(ServiceTest, KeepsTheTemporaryFilesOfAnEnvironmentWhoseProcessCrashed) {
  CreateFunction("f", "remember");
  EXPECT_EQ(Invoke("f").body, "\"first\"");
  EXPECT_EQ(Invoke("f", "\"crash\"").headers.Get("X-Amz-Function-Error"), "Unhandled");
  EXPECT_EQ(Invoke("f").body, "\"again\"");
}

TEST_F(ServiceTest, SurvivesAFloodOfOutput) {
  CreateFunction("f", "flood", 60);
  std::string log;
  EXPECT_EQ(InvokeForLog("f", log).body, "\"done\"");
  EXPECT_LE(log.size(), 4096u);
  EXPECT_THAT(log, HasSubstr("REPORT RequestId"));
}

TEST_F(ServiceTest, RunsConcurrentInvokesInEnvironmentsOfTheirOwn) {
  CreateFunction("f", "slow");
  std::vector<std::string> answers(3);
  std::vector<std::thread> callers;
  for (auto& answer : answers) {
    callers.emplace_back([&] { answer = Invoke("f").body; });
  }
  for (auto& caller : callers) caller.join();
  for (const auto& answer : answers) EXPECT_THAT(answer, MatchesRegex("\"[0-9]+\""));
}

TEST_F(ServiceTest, SetsLambdasVariables) {
  CreateFunction("f", "environment");
  const auto all = boost::json::parse(Invoke("f").body).as_object();
  EXPECT_EQ(all.at("AWS_LAMBDA_FUNCTION_NAME").as_string(), "f");
  EXPECT_EQ(all.at("LAMBDA_TASK_ROOT").as_string(), "/var/task");
  EXPECT_FALSE(all.contains("AWS_EXECUTION_ENV"));
}

TEST_F(ServiceTest, KeepsFunctionsOverARestart) {
  CreateFunction("f", "echo");
  Stop();
  Start();
  EXPECT_EQ(Invoke("f", "1").body, "1");
}

TEST_F(ServiceTest, FailsAtInvokeWithoutABootstrap) {
  ASSERT_EQ(CreateWithZip("f", Zip("other", "x", 0644)).status, 201);
  const auto body = boost::json::parse(Invoke("f").body);
  EXPECT_EQ(body.at("errorType").as_string(), "Runtime.InvalidEntrypoint");
  EXPECT_THAT(logged(), HasSubstr("function f will not start"));
}

TEST_F(ServiceTest, FailsAtInvokeWhenTheBootstrapIsNotExecutable) {
  ASSERT_EQ(CreateWithZip("f", Zip("bootstrap", "#!/bin/sh\n", 0644)).status, 201);
  const auto body = boost::json::parse(Invoke("f").body);
  EXPECT_EQ(body.at("errorType").as_string(), "Runtime.InvalidEntrypoint");
  EXPECT_THAT(std::string(body.at("errorMessage").as_string()), HasSubstr("permission denied"));
}

TEST_F(ServiceTest, FailsAtInvokeWhenTheBootstrapIsForAnotherMachine) {
  std::string program = ReadFile(KELVIN_TEST_BOOTSTRAP).value();
  program[18] ^= 0x77;  // the ELF header's e_machine
  ASSERT_EQ(CreateWithZip("f", Zip("bootstrap", program, 0755)).status, 201);
  const auto body = boost::json::parse(Invoke("f").body);
  EXPECT_EQ(body.at("errorType").as_string(), "Runtime.InvalidEntrypoint");
  EXPECT_THAT(std::string(body.at("errorMessage").as_string()), HasSubstr("exec format error"));
}

TEST_F(ServiceTest, RefusesAZipThatCannotBeUnpacked) {
  for (const std::string& zip : {std::string("not a zip"), TestZip().substr(0, 1000)}) {
    const auto response = CreateWithZip("f", zip);
    EXPECT_EQ(response.status, 400);
    EXPECT_EQ(response.headers.Get("x-amzn-ErrorType"), "InvalidParameterValueException");
    EXPECT_THAT(response.body, HasSubstr("Could not unzip uploaded file."));
    EXPECT_EQ(Invoke("f").status, 404);
  }
}

TEST_F(ServiceTest, EndsEveryProcessWhenItStops) {
  Stop();
  std::promise<void> running;
  ServiceOptions options;
  options.function_log = [&](std::string_view, std::string_view line) {
    if (line.starts_with("START")) running.set_value();
  };
  Start(std::move(options));
  CreateFunction("f", "hang", 60);
  std::thread caller(
      [&] { EXPECT_EQ(Invoke("f").headers.Get("X-Amz-Function-Error"), "Unhandled"); });
  running.get_future().wait();
  Stop();
  caller.join();
}

}  // namespace
}  // namespace kelvin::service
