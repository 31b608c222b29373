#include "lab/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/example_record.h"
#include "lab/report_parts.h"

namespace kelvin::lab {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;

PriceTable Prices() {
  return ParsePriceTable(BuiltInPrices()).value();
}

std::vector<std::string> Lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    lines.emplace_back(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(lines.back().size() + 1, text.size()));
  }
  return lines;
}

MATCHER_P(FitsInto, width, "") {
  return DisplayWidth(arg) <= width;
}

TEST(RenderTable, AlignsTextLeftAndNumbersRight) {
  const Table table{.columns = {{"Name", Align::kLeft}, {"ms"}},
                    .rows = {{"a", "1.00"}, {"long name", "10.00"}}};
  EXPECT_EQ(RenderTable(table, {}),
            "Name          ms\n"
            "---------  -----\n"
            "a           1.00\n"
            "long name  10.00\n");
}

TEST(RenderTable, BreaksAWideTableAndRepeatsTheKeys) {
  const Table table{.columns = {{"Name", Align::kLeft}, {"first"}, {"second"}, {"third"}},
                    .rows = {{"a", "1", "2", "3"}}};
  const std::string text = RenderTable(table, {.width = 20});
  EXPECT_EQ(text,
            "Name  first  second\n"
            "----  -----  ------\n"
            "a         1       2\n"
            "\n"
            "Name  third\n"
            "----  -----\n"
            "a         3\n");
}

TEST(RenderTable, CountsCharactersAndNotBytes) {
  EXPECT_EQ(DisplayWidth("é→x"), 3U);
  const Table table{.columns = {{"N", Align::kLeft}, {"v"}}, .rows = {{"é", "1"}, {"ab", "2"}}};
  EXPECT_THAT(RenderTable(table, {}), HasSubstr("é   1\nab  2\n"));
}

TEST(RenderMarkdownTable, EscapesWhatWouldEndACell) {
  const Table table{.columns = {{"N", Align::kLeft}, {"v"}}, .rows = {{"a|b", "1"}}};
  EXPECT_EQ(RenderMarkdownTable(table), "| N | v |\n| :--- | ---: |\n| a\\|b | 1 |\n");
}

TEST(RenderBars, ScalesToTheLongestAndShowsMarks) {
  const std::string text =
      RenderBars({{"slow", 100, "100 ms"}, {"fast", 10, "10 ms", "fastest"}}, {.width = 40});
  EXPECT_EQ(text,
            "slow  ################### 100 ms\n"
            "fast  ## 10 ms  fastest\n");
}

TEST(RenderBars, ShowsEvenTheSmallestValue) {
  const Style style{.width = 60, .color = Color::kNo, .glyphs = Glyphs::kUnicode};
  EXPECT_THAT(RenderBars({{"a", 1000, "1000"}, {"b", 0, "0"}}, style), HasSubstr("b  ▏ 0"));
}

TEST(TerminalReport, ShowsEveryFigureOfTheTable) {
  const std::string text = TerminalReport(ExampleRecord(), Prices(), {.width = 200});
  for (const char* part : {"Function", "Mode", "Package", "Init p50", "Cold p50", "Warm avg",
                           "Warm min", "Warm p50", "Warm p99", "Warm max", "Max mem", "$/1M",
                           "item-jit", "1.37 MB", "391 KB", "90 MB", "512 MB", "104 ms"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  EXPECT_THAT(text, HasSubstr("Improvement: 6.7x faster cold start (item-jit -> item-aot)"));
  EXPECT_THAT(text, HasSubstr("Improvement: 10.0x faster warm invokes"));
  EXPECT_THAT(text, HasSubstr("Improvement: 2.0x less memory"));
  EXPECT_THAT(text, HasSubstr("1 % of them cold"));
}

TEST(TerminalReport, PraisesOnlyWhatIsClearlyBetter) {
  EXPECT_THAT(TerminalReport(ExampleRecord(), Prices(), {}), HasSubstr("19.0 ms  fastest"));
  Record record = ExampleRecord();
  for (Sample& sample : record.samples) {
    sample.duration_ms = sample.kind == SampleKind::kWarm ? 10 : 20;
    sample.max_memory_mb = 45;
    if (sample.init_ms) sample.init_ms = 50;
  }
  const std::string text = TerminalReport(record, Prices(), {.width = 200});
  EXPECT_THAT(text, Not(HasSubstr("fastest")));
  EXPECT_THAT(text, Not(HasSubstr("lowest")));
  EXPECT_THAT(text, Not(HasSubstr("Improvement")));
  EXPECT_THAT(text, HasSubstr("No clear difference"));
}

TEST(TerminalReport, SaysWhenTheRunDidNotGetToItsEnd) {
  Record record = ExampleRecord();
  record.state = "interrupted";
  EXPECT_THAT(TerminalReport(record, Prices(), {.width = 200}),
              HasSubstr("This run was interrupted after 40 samples"));
}

TEST(TerminalReport, WarnsOfABusyMachine) {
  Record record = ExampleRecord();
  EXPECT_THAT(TerminalReport(record, Prices(), {.width = 200}), Not(HasSubstr("busy")));
  record.machine.load_1m = 3;
  EXPECT_THAT(TerminalReport(record, Prices(), {.width = 200}), HasSubstr("load 3.0 on 2 cores"));
}

TEST(TerminalReport, HasNoBarsForOneFunction) {
  Record record = ExampleRecord();
  record.functions.pop_back();
  std::erase_if(record.samples, [](const Sample& sample) { return sample.function == 1; });
  EXPECT_THAT(TerminalReport(record, Prices(), {.width = 200}), Not(HasSubstr("####")));
}

TEST(TerminalReport, KeepsToTheWidthOfTheTerminal) {
  for (const std::size_t width : {60U, 80U, 120U, 200U}) {
    EXPECT_THAT(Lines(TerminalReport(ExampleRecord(), Prices(), {.width = width})),
                Each(FitsInto(width)));
  }
}

TEST(TerminalReport, HasColoursOnlyWhereAskedFor) {
  EXPECT_THAT(TerminalReport(ExampleRecord(), Prices(), {}), Not(HasSubstr("\x1b")));
  const Style style{.width = 80, .color = Color::kYes, .glyphs = Glyphs::kUnicode};
  EXPECT_THAT(TerminalReport(ExampleRecord(), Prices(), style), HasSubstr("\x1b[1m"));
}

TEST(TerminalReport, NamesWhatCouldMislead) {
  Record record = ExampleRecord();
  record.functions[0].abandoned = "more than 10 % failed";
  record.samples.push_back(Sample{
      .kind = SampleKind::kWarm, .outcome = Outcome::kFailed, .reason = "Runtime.ExitError"});
  record.samples.push_back(Sample{.kind = SampleKind::kCold, .outcome = Outcome::kRejected});
  record.samples.push_back(
      Sample{.function = 1, .kind = SampleKind::kWarm, .duration_ms = 500, .billed_ms = 500});
  const std::string text = TerminalReport(record, Prices(), {.width = 200});
  EXPECT_THAT(text, HasSubstr("item-jit: given up, more than 10 % failed"));
  EXPECT_THAT(text, HasSubstr("1 invoke failed with Runtime.ExitError"));
  EXPECT_THAT(text, HasSubstr("item-jit: 1 sample rejected"));
  EXPECT_THAT(text, HasSubstr("item-aot: outliers (kept in the figures): 0 cold, 1 warm"));
  EXPECT_THAT(text, HasSubstr("Failed"));
}

TEST(TerminalReport, OfAnEmptyRecordStillHasTheFunctions) {
  Record record = ExampleRecord();
  record.samples.clear();
  const std::string text = TerminalReport(record, Prices(), {.width = 200});
  EXPECT_THAT(text, HasSubstr("item-aot"));
  EXPECT_THAT(text, Not(HasSubstr("Improvement")));
}

TEST(MarkdownReport, HasTheTableTheMachineAndTheCommand) {
  const std::string text = MarkdownReport(ExampleRecord(), Prices());
  EXPECT_THAT(text, HasSubstr("| Function | Mode |"));
  EXPECT_THAT(text, HasSubstr("| item-jit | jit |"));
  EXPECT_THAT(text, HasSubstr("Example CPU, 2 cores"));
  EXPECT_THAT(text, HasSubstr("kelvin compare --seed 7"));
}

TEST(Format, KeepsThreeDigitsOfATime) {
  EXPECT_EQ(FormatMs(0.418), "0.42 ms");
  EXPECT_EQ(FormatMs(12.34), "12.3 ms");
  EXPECT_EQ(FormatMs(1081.6), "1082 ms");
  EXPECT_EQ(FormatBytes(900), "900 B");
  EXPECT_EQ(FormatBytes(400'000), "391 KB");
  EXPECT_EQ(FormatBytes(5'830'000), "5.56 MB");
}

}  // namespace
}  // namespace kelvin::lab
