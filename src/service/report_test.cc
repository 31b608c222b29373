#include "service/report.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kelvin::service {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;

const Place kPlace{"us-east-1", "123456789012"};
constexpr Clock::WallTime kNow{std::chrono::seconds{1'700'000'000}};

FunctionConfig Config(LogFormat format = LogFormat::kText, std::string level = "INFO") {
  FunctionConfig config;
  config.name = "f";
  config.runtime = "provided.al2023";
  config.log_format = format;
  if (format == LogFormat::kJson) config.system_log_level = std::move(level);
  return config;
}

InvokeReport Report() {
  return {
      .request_id = "id", .duration = 2'370us, .memory_mb = 1024, .peak_memory_bytes = 95 << 20};
}

TEST(BilledMilliseconds, IsTheNextWholeOneOfWhatIsShown) {
  EXPECT_EQ(BilledMilliseconds(2'370us, 423'980us), 427);
  EXPECT_EQ(BilledMilliseconds(1'000us, std::nullopt), 1);
  EXPECT_EQ(BilledMilliseconds(1'004us, std::nullopt), 1);
  EXPECT_EQ(BilledMilliseconds(1'006us, std::nullopt), 2);
  EXPECT_EQ(BilledMilliseconds(0us, std::nullopt), 1);
}

TEST(PlatformLines, WritesTextByteForByte) {
  const PlatformLines lines(Config(), kPlace);
  EXPECT_EQ(lines.Start(kNow, "id", {}), "START RequestId: id Version: $LATEST");
  EXPECT_EQ(lines.End(kNow, Report()), "END RequestId: id");
  auto report = Report();
  EXPECT_EQ(lines.Report(kNow, report),
            "REPORT RequestId: id\tDuration: 2.37 ms\tBilled Duration: 3 ms\tMemory Size: 1024 "
            "MB\tMax Memory Used: 95 MB\t");
  report.init_duration = 423'980us;
  EXPECT_EQ(lines.Report(kNow, report),
            "REPORT RequestId: id\tDuration: 2.37 ms\tBilled Duration: 427 ms\tMemory Size: 1024 "
            "MB\tMax Memory Used: 95 MB\tInit Duration: 423.98 ms\t");
  report.status = RunStatus::kTimeout;
  EXPECT_THAT(lines.Report(kNow, report), HasSubstr("Init Duration: 423.98 ms\tStatus: timeout"));
  report.status = RunStatus::kError;
  report.error_type = "Runtime.ExitError";
  EXPECT_THAT(lines.Report(kNow, report),
              HasSubstr("ms\tStatus: error\tError Type: Runtime.ExitError"));
}

TEST(PlatformLines, AddsTheTraceThatIsSampled) {
  const PlatformLines lines(Config(), kPlace);
  auto report = Report();
  report.trace_id = "Root=1-2-3;Parent=4;Sampled=0";
  EXPECT_EQ(lines.Report(kNow, report).find("XRAY"), std::string::npos);
  report.trace_id = "Root=1-2-3;Parent=4;Sampled=1";
  EXPECT_THAT(lines.Report(kNow, report),
              HasSubstr("\nXRAY TraceId: 1-2-3\tSegmentId: 4\tSampled: true\t"));
}

TEST(PlatformLines, ReportsAnInitOnlyWhenItFailed) {
  const PlatformLines lines(Config(), kPlace);
  EXPECT_EQ(lines.InitDone(kNow, {.duration = 1ms}), "");
  EXPECT_EQ(lines.InitDone(kNow, {.duration = 9'999'790us, .status = RunStatus::kTimeout}),
            "INIT_REPORT Init Duration: 9999.79 ms\tPhase: init\tStatus: timeout");
}

TEST(PlatformLines, NeverShowsMoreMemoryThanThereIs) {
  const PlatformLines lines(Config(), kPlace);
  auto report = Report();
  report.peak_memory_bytes = std::uint64_t{2} << 30;
  EXPECT_THAT(lines.Report(kNow, report), HasSubstr("Max Memory Used: 1024 MB"));
}

TEST(PlatformLines, WritesJsonDocuments) {
  const PlatformLines lines(Config(LogFormat::kJson), kPlace);
  auto report = Report();
  report.init_duration = 423'980us;
  const auto document = boost::json::parse(lines.Report(kNow, report));
  EXPECT_EQ(document.at("type").as_string(), "platform.report");
  EXPECT_EQ(document.at("time").as_string(), "2023-11-14T22:13:20.000Z");
  const auto& record = document.at("record");
  EXPECT_EQ(record.at("status").as_string(), "success");
  EXPECT_EQ(record.at("metrics").at("billedDurationMs").as_int64(), 427);
  EXPECT_EQ(record.at("metrics").at("initDurationMs").as_double(), 423.98);
}

TEST(PlatformLines, SaysInJsonWhatBecameOfAnInvoke) {
  const PlatformLines lines(Config(LogFormat::kJson, "DEBUG"), kPlace);
  auto report = Report();
  report.request_id = "01234567-89ab-cdef-0123-456789abcdef";
  report.trace_id = "Root=1-2-3;Parent=4;Sampled=1";
  report.produced_bytes = 40;
  report.runtime_spans = {{"responseLatency", kNow, 2'215us}, {"responseDuration", kNow, 56us}};
  report.platform_spans = {{"extensionOverhead", kNow, 1'500us}};
  const std::string tracing = R"("tracing":{"spanId":"0123456789abcdef","type":"X-Amzn-Trace-Id",)"
                              R"("value":"Root=1-2-3;Parent=4;Sampled=1"})";
  EXPECT_EQ(boost::json::serialize(lines.RuntimeDoneRecord(report)),
            R"({"requestId":"01234567-89ab-cdef-0123-456789abcdef","status":"success",)" + tracing +
                R"(,"spans":[{"name":"responseLatency","start":"2023-11-14T22:13:20.000Z",)"
                R"("durationMs":2.215E0},{"name":"responseDuration",)"
                R"("start":"2023-11-14T22:13:20.000Z","durationMs":5.6E-2}],)"
                R"("metrics":{"durationMs":2.37E0,"producedBytes":40}})");
  EXPECT_THAT(boost::json::serialize(lines.ReportRecord(report)),
              AllOf(HasSubstr(tracing), HasSubstr(R"("spans":[{"name":"extensionOverhead",)")));
  EXPECT_THAT(lines.Start(kNow, report.request_id, report.trace_id), HasSubstr(tracing));
}

TEST(PlatformLines, LeavesOutOfTheJsonWhatThereIsNothingOf) {
  const PlatformLines lines(Config(LogFormat::kJson, "DEBUG"), kPlace);
  auto report = Report();
  report.trace_id = "Root=1-2-3;Parent=4;Sampled=0";
  report.status = RunStatus::kTimeout;
  EXPECT_EQ(boost::json::serialize(lines.RuntimeDoneRecord(report)),
            R"({"requestId":"id","status":"timeout",)"
            R"("metrics":{"durationMs":2.37E0,"producedBytes":0}})");
}

TEST(PlatformLines, NamesTheInstanceAfterItsStream) {
  FunctionConfig config = Config();
  config.memory_mb = 256;
  const PlatformLines lines(config, kPlace, "on-demand", "2025/01/07/[$LATEST]002c");
  const auto record = lines.InitStartRecord(InitPhase::kInvoke);
  EXPECT_EQ(record.at("phase"), "invoke");
  EXPECT_EQ(record.at("instanceId"), "2025/01/07/f[$LATEST]002c");
  EXPECT_EQ(record.at("instanceMaxMemory"), 268'435'456);
}

TEST(PlatformLines, LetsThroughWhatTheSystemLogLevelAllows) {
  const PlatformLines info(Config(LogFormat::kJson), kPlace);
  EXPECT_NE(info.Start(kNow, "id", {}), "");
  EXPECT_EQ(info.End(kNow, Report()), "");
  const PlatformLines debug(Config(LogFormat::kJson, "DEBUG"), kPlace);
  EXPECT_THAT(debug.End(kNow, Report()), HasSubstr("platform.runtimeDone"));
  const PlatformLines warn(Config(LogFormat::kJson, "WARN"), kPlace);
  EXPECT_EQ(warn.Start(kNow, "id", {}), "");
  EXPECT_EQ(warn.Report(kNow, Report()), "");
  auto failed = Report();
  failed.status = RunStatus::kTimeout;
  EXPECT_THAT(warn.Report(kNow, failed), HasSubstr("timeout"));
}

}  // namespace
}  // namespace kelvin::service
