#include "lab/regression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/example_record.h"

namespace kelvin::lab {
namespace {

using ::testing::HasSubstr;

PriceTable Prices() {
  return ParsePriceTable(BuiltInPrices()).value();
}

std::string RuleError(std::string_view text) {
  const auto rule = ParseFailIf(text);
  return rule ? "no error" : rule.error().message;
}

// The example with every warm invoke of the second function `factor` times as long.
Record Slower(double factor) {
  Record record = ExampleRecord();
  int n = 0;
  for (Sample& sample : record.samples) {
    if (sample.function != 1 || sample.kind != SampleKind::kWarm) continue;
    sample.duration_ms *= factor + 0.01 * (n++ % 3);
  }
  return record;
}

Regression Compared(const Record& before, const Record& after, std::vector<std::string> rules) {
  std::vector<FailIf> parsed;
  for (const std::string& rule : rules) parsed.push_back(ParseFailIf(rule).value());
  return CompareRecords(before, after, parsed, Prices()).value();
}

TEST(FailIf, ReadsFigureStatisticAndLimit) {
  const auto percent = ParseFailIf("cold.p50 > 10%");
  ASSERT_TRUE(percent.has_value()) << percent.error().message;
  EXPECT_EQ(percent->figure, "cold");
  EXPECT_EQ(percent->statistic, "p50");
  EXPECT_DOUBLE_EQ(percent->limit, 10);
  EXPECT_EQ(percent->unit, FailIf::Unit::kPercent);
  EXPECT_EQ(ParseFailIf("warm.mean>0.5 ms")->unit, FailIf::Unit::kAbsolute);
  EXPECT_TRUE(ParseFailIf("memory > 5 MB").has_value());
  EXPECT_TRUE(ParseFailIf("package > 1000").has_value());
}

TEST(FailIf, SaysWhatIsImpossible) {
  EXPECT_THAT(RuleError("banana"), HasSubstr("no '>'"));
  EXPECT_THAT(RuleError("colt.p50 > 10%"), HasSubstr("'colt' is none of the figures init"));
  EXPECT_THAT(RuleError("cold > 10%"), HasSubstr("cold needs one of mean"));
  EXPECT_THAT(RuleError("cold.p42 > 10%"), HasSubstr("cold needs one of mean"));
  EXPECT_THAT(RuleError("memory.p50 > 10%"), HasSubstr("one value"));
  EXPECT_THAT(RuleError("cold.p50 > -10%"), HasSubstr("not negative"));
  EXPECT_THAT(RuleError("cold.p50 > much"), HasSubstr("percentage"));
  EXPECT_THAT(RuleError("cold.p50 > 5 MB"), HasSubstr("percentage or a time"));
  EXPECT_THAT(RuleError("cold.p50 > nan%"), HasSubstr("not negative"));
}

TEST(Regression, FailsOnASignificantOneBeyondTheLimit) {
  const Regression found = Compared(ExampleRecord(), Slower(1.5), {"warm.p50 > 10%"});
  EXPECT_TRUE(found.failed());
  EXPECT_THAT(RegressionText(found, {.width = 200}), HasSubstr("FAIL: warm.p50 > 10%"));
  EXPECT_FALSE(Compared(ExampleRecord(), Slower(1.5), {"warm.p50 > 60%"}).failed());
  EXPECT_TRUE(Compared(ExampleRecord(), Slower(1.5), {"warm.p50 > 0.3 ms"}).failed());
  EXPECT_FALSE(Compared(ExampleRecord(), Slower(1.5), {"warm.p50 > 0.8 ms"}).failed());
}

TEST(Regression, DoesNotFailOnAnImprovementOrOnTheSame) {
  EXPECT_FALSE(Compared(ExampleRecord(), ExampleRecord(), {"warm.p50 > 0%"}).failed());
  EXPECT_FALSE(Compared(ExampleRecord(), Slower(0.5), {"warm.p50 > 0%"}).failed());
}

TEST(Regression, DoesNotFailOnWhatIsNotSignificant) {
  Record after = ExampleRecord();
  // One wild cold start moves the mean, not what can be told from eight samples.
  after.samples[0].duration_ms = 900;
  const Regression found = Compared(ExampleRecord(), after, {"cold.mean > 5%", "cold.p99 > 5%"});
  EXPECT_FALSE(found.failed());
  EXPECT_THAT(RegressionText(found, {.width = 200}), HasSubstr("too few samples to tell"));
}

TEST(Regression, ComparesFiguresOfOneValueAsTheyAre) {
  Record after = ExampleRecord();
  after.functions[0].code_size += 1;
  EXPECT_TRUE(Compared(ExampleRecord(), after, {"package > 0%"}).failed());
  EXPECT_FALSE(Compared(ExampleRecord(), after, {"package > 1"}).failed());
}

TEST(Regression, NeedsAFunctionInCommonAndTheFiguresOfEveryRule) {
  Record other = ExampleRecord();
  for (Function& function : other.functions) function.name += "-other";
  const auto none = CompareRecords(ExampleRecord(), other, {}, Prices());
  ASSERT_FALSE(none.has_value());
  EXPECT_THAT(none.error().message, HasSubstr("same functions"));
  Record no_cold = ExampleRecord();
  std::erase_if(no_cold.samples, [](const Sample& s) { return s.kind == SampleKind::kCold; });
  const auto missing =
      CompareRecords(ExampleRecord(), no_cold, {ParseFailIf("cold.p50 > 10%").value()}, Prices());
  ASSERT_FALSE(missing.has_value());
  EXPECT_THAT(missing.error().message, HasSubstr("cold.p50"));
}

TEST(Regression, NotesWhatMakesRecordsHardToCompare) {
  Record after = ExampleRecord();
  after.machine.cpu_model = "Another CPU";
  after.machine.load_1m = 4;
  after.state = "interrupted";
  const std::string text =
      RegressionMarkdown(Compared(ExampleRecord(), after, {}), ExampleRecord(), after);
  EXPECT_THAT(text, HasSubstr("different processors"));
  EXPECT_THAT(text, HasSubstr("load was 0.0 and 4.0"));
  EXPECT_THAT(text, HasSubstr("second run did not get to its end"));
  EXPECT_THAT(text, HasSubstr("| item-aot | warm.p50 |"));
}

}  // namespace
}  // namespace kelvin::lab
