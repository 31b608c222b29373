#include "lab/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fake_clock.h"
#include "base/file.h"
#include "lab/machine.h"
#include "lab/record_writer.h"

namespace kelvin::lab {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;

Record ExampleRecord() {
  Record record;
  record.tool = "kelvin 0.1.0";
  record.seed = 7;
  record.settings = {.cold = 1, .warm_up = 0, .warm = 1};
  record.functions = {Function{.name = "f-aot", .mode = "aot", .code_sha256 = "abc="}};
  record.samples = {
      Sample{.kind = SampleKind::kCold,
             .request_id = "1",
             .init_ms = 2.5,
             .duration_ms = 1.25,
             .billed_ms = 4,
             .report = "REPORT\tRequestId: 1"},
      Sample{.kind = SampleKind::kWarm, .outcome = Outcome::kFailed, .reason = "Function.Bad"}};
  return record;
}

TEST(Record, KeepsEverySampleAsJson) {
  const json::value document = json::parse(RecordJson(ExampleRecord()));
  EXPECT_EQ(document.at("schema_version").to_number<int>(), kSchemaVersion);
  EXPECT_EQ(document.at("seed").to_number<int>(), 7);
  EXPECT_EQ(document.at("functions").at(0).at("name").as_string(), "f-aot");
  const json::value& cold = document.at("samples").at(0);
  EXPECT_EQ(cold.at("kind").as_string(), "cold");
  EXPECT_EQ(cold.at("outcome").as_string(), "ok");
  EXPECT_DOUBLE_EQ(cold.at("init_ms").as_double(), 2.5);
  EXPECT_EQ(cold.at("report").as_string(), "REPORT\tRequestId: 1");
  const json::value& warm = document.at("samples").at(1);
  EXPECT_EQ(warm.at("kind").as_string(), "warm");
  EXPECT_EQ(warm.at("outcome").as_string(), "failed");
  EXPECT_EQ(warm.at("reason").as_string(), "Function.Bad");
  EXPECT_TRUE(warm.at("init_ms").is_null());
}

TEST(Record, HasOneSampleALine) {
  const std::string text = RecordJson(ExampleRecord());
  EXPECT_THAT(text, HasSubstr("\n    {\"function\":0,\"kind\":\"cold\""));
  EXPECT_THAT(text, HasSubstr("\n    {\"function\":0,\"kind\":\"warm\""));
  EXPECT_THAT(RecordJson(Record{}), HasSubstr("\"samples\": []"));
}

TEST(RecordWriter, MakesItsFolderAndKeepsTheFileWhole) {
  auto folder = TemporaryDirectory::Create();
  ASSERT_TRUE(folder.has_value());
  const FakeClock clock;
  auto writer = RecordWriter::Create(folder->path() / "a" / "b" / "compare.json", clock);
  ASSERT_TRUE(writer.has_value());
  ASSERT_TRUE(writer->Write(ExampleRecord()).has_value());
  EXPECT_EQ(ReadFile(writer->path()), RecordJson(ExampleRecord()));
}

TEST(RecordWriter, WritesAtMostOnceASecondWhenOffered) {
  auto folder = TemporaryDirectory::Create();
  ASSERT_TRUE(folder.has_value());
  const FakeClock clock;
  auto writer = RecordWriter::Create(folder->path() / "compare.json", clock);
  Record record = ExampleRecord();
  ASSERT_TRUE(writer->Offer(record).has_value());
  record.state = "later";
  ASSERT_TRUE(writer->Offer(record).has_value());
  EXPECT_THAT(ReadFile(writer->path()).value(), HasSubstr("running"));
  clock.Advance(std::chrono::seconds{1});
  ASSERT_TRUE(writer->Offer(record).has_value());
  EXPECT_THAT(ReadFile(writer->path()).value(), HasSubstr("later"));
}

TEST(RecordWriter, SaysWhichFolderCannotBeMade) {
  const FakeClock clock;
  const auto writer = RecordWriter::Create("/proc/nowhere/out/compare.json", clock);
  ASSERT_FALSE(writer.has_value());
  EXPECT_THAT(writer.error().message, HasSubstr("/proc/nowhere"));
}

TEST(Machine, IsReadFromTheKernelsFiles) {
  auto root = TemporaryDirectory::Create();
  ASSERT_TRUE(root.has_value());
  const auto governor = root->path() / "sys/devices/system/cpu/cpu0/cpufreq";
  std::filesystem::create_directories(root->path() / "proc");
  std::filesystem::create_directories(governor);
  ASSERT_TRUE(WriteFileAtomically(root->path() / "proc/cpuinfo",
                                  "processor\t: 0\nmodel name\t: Example CPU @ 3 GHz\n"
                                  "processor\t: 1\nmodel name\t: Example CPU @ 3 GHz\n"));
  ASSERT_TRUE(WriteFileAtomically(root->path() / "proc/meminfo", "MemTotal:       4096000 kB\n"));
  ASSERT_TRUE(WriteFileAtomically(root->path() / "proc/loadavg", "1.25 0.50 0.10 1/200 999\n"));
  ASSERT_TRUE(WriteFileAtomically(governor / "scaling_governor", "performance\n"));
  const Machine machine = ReadMachine(root->path());
  EXPECT_EQ(machine.cpu_model, "Example CPU @ 3 GHz");
  EXPECT_EQ(machine.memory_mb, 4000);
  EXPECT_DOUBLE_EQ(machine.load_1m, 1.25);
  EXPECT_EQ(machine.governor, "performance");
  EXPECT_GE(machine.cores, 1);
  EXPECT_THAT(machine.kernel, HasSubstr("Linux"));
}

TEST(Machine, StaysEmptyWhereTheKernelSaysNothing) {
  auto root = TemporaryDirectory::Create();
  const Machine machine = ReadMachine(root->path());
  EXPECT_EQ(machine.cpu_model, "");
  EXPECT_EQ(machine.governor, "");
  EXPECT_EQ(machine.memory_mb, 0);
}

}  // namespace
}  // namespace kelvin::lab
