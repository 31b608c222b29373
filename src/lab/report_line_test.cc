#include "lab/report_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kelvin::lab {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kCold =
    "REPORT RequestId: 8f5a\tDuration: 2.37 ms\tBilled Duration: 427 ms\tMemory Size: 1024 MB\t"
    "Max Memory Used: 95 MB\tInit Duration: 423.98 ms\t";
constexpr std::string_view kWarm =
    "REPORT RequestId: 8f5a\tDuration: 0.92 ms\tBilled Duration: 1 ms\tMemory Size: 128 MB\t"
    "Max Memory Used: 3 MB\t";

TEST(Report, OfAColdInvokeHasAnInitDuration) {
  const auto report = ParseReport(kCold);
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_EQ(report->request_id, "8f5a");
  EXPECT_DOUBLE_EQ(report->duration_ms, 2.37);
  EXPECT_EQ(report->billed_ms, 427);
  EXPECT_EQ(report->memory_mb, 1024);
  EXPECT_EQ(report->max_memory_mb, 95);
  EXPECT_DOUBLE_EQ(report->init_ms.value(), 423.98);
  EXPECT_EQ(report->status, "");
  EXPECT_EQ(report->text, kCold);
}

TEST(Report, OfAWarmInvokeHasNone) {
  const auto report = ParseReport(kWarm);
  ASSERT_TRUE(report.has_value());
  EXPECT_FALSE(report->init_ms.has_value());
}

TEST(Report, KeepsStatusAndErrorType) {
  const auto report = ParseReport(
      "REPORT RequestId: a\tDuration: 3000.00 ms\tBilled Duration: 3517 ms\tMemory Size: 1024 MB\t"
      "Max Memory Used: 1024 MB\tInit Duration: 516.31 ms\tStatus: error\t"
      "Error Type: Runtime.ExitError\n");
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->status, "error");
  EXPECT_EQ(report->error_type, "Runtime.ExitError");
}

TEST(Report, PassesOverFieldsItDoesNotKnow) {
  const auto report = ParseReport(std::string(kWarm) + "Restore Duration: 1.00 ms\todd\t");
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->max_memory_mb, 3);
}

TEST(Report, IsReadFromTheJsonLogFormat) {
  const auto report = ParseReport(
      R"({"time":"2026-01-01T00:00:00.000Z","type":"platform.report","record":{"requestId":"8f5a",)"
      R"("metrics":{"durationMs":2.37,"billedDurationMs":427,"memorySizeMB":1024,)"
      R"("maxMemoryUsedMB":95,"initDurationMs":423.98},"status":"success"}})");
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_DOUBLE_EQ(report->init_ms.value(), 423.98);
  EXPECT_EQ(report->billed_ms, 427);
  EXPECT_EQ(report->status, "");
}

TEST(Report, SaysWhichFieldIsMissing) {
  const auto report = ParseReport("REPORT RequestId: a\tDuration: 1 ms\t");
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(report.error().message, HasSubstr("Billed Duration"));
}

TEST(Report, RefusesWhatIsNotANumber) {
  for (const char* duration : {"x ms", "-1 ms", "1 s", "nan ms", "inf ms", " ms", "1e400 ms"}) {
    EXPECT_FALSE(ParseReport(std::string("REPORT RequestId: a\tDuration: ") + duration +
                             "\tBilled Duration: 1 ms\tMemory Size: 1 MB\tMax Memory Used: 1 MB\t")
                     .has_value())
        << duration;
  }
  EXPECT_FALSE(ParseReport("REPORT RequestId: a\tDuration: 1 ms\tBilled Duration: 1e300 ms\t"
                           "Memory Size: 1 MB\tMax Memory Used: 1 MB\t")
                   .has_value());
}

TEST(Report, RefusesOtherLinesAndOtherJson) {
  EXPECT_FALSE(ParseReport("").has_value());
  EXPECT_FALSE(ParseReport("START RequestId: a").has_value());
  EXPECT_FALSE(ParseReport("{").has_value());
  EXPECT_FALSE(ParseReport(R"({"type":"platform.start"})").has_value());
  EXPECT_FALSE(ParseReport(R"({"type":"platform.report","record":{}})").has_value());
}

TEST(FindReport, TakesTheLastLineOfItsRequest) {
  std::string tail = "START RequestId: 8f5a Version: $LATEST\n";
  tail += "REPORT RequestId: 8f5a\tDuration: 1.00 ms\tforged by the function\n";
  tail += "END RequestId: 8f5a\n";
  tail += kCold;
  tail += "\nXRAY TraceId: 1\tSegmentId: 2\tSampled: true\t\n";
  const auto report = FindReport(tail, "8f5a");
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_DOUBLE_EQ(report->duration_ms, 2.37);
}

TEST(FindReport, DoesNotTakeAnotherRequests) {
  const auto report = FindReport(std::string(kCold) + "\n", "8f5");
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().code, ErrorCode::kNotFound);
}

TEST(FindReport, FailsOnAnEmptyOrCutTail) {
  EXPECT_FALSE(FindReport("", "a").has_value());
  EXPECT_FALSE(FindReport("ORT RequestId: a\tDuration: 1 ms", "a").has_value());
  EXPECT_FALSE(FindReport("\n\n\n", "a").has_value());
}

}  // namespace
}  // namespace kelvin::lab
