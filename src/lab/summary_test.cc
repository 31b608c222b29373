#include "lab/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/example_record.h"

namespace kelvin::lab {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::SizeIs;

PriceTable Prices() {
  return ParsePriceTable(BuiltInPrices()).value();
}

TEST(FunctionSummary, AddsInitAndDurationOfEachColdSample) {
  const auto summaries = Summarize(ExampleRecord(), Prices());
  ASSERT_THAT(summaries, SizeIs(2));
  ASSERT_TRUE(summaries[0].cold_total.has_value());
  EXPECT_DOUBLE_EQ(summaries[0].cold_total->min, 100 + 20);
  EXPECT_DOUBLE_EQ(summaries[0].init->p50, 103.5);
  EXPECT_DOUBLE_EQ(summaries[1].cold_total->min, 10 + 2);
}

TEST(FunctionSummary, KeepsWarmUpApart) {
  const auto summaries = Summarize(ExampleRecord(), Prices());
  EXPECT_EQ(summaries[0].warm_up->count, 2U);
  EXPECT_EQ(summaries[0].warm->count, 10U);
  EXPECT_LT(summaries[0].warm->max, summaries[0].warm_up->min);
}

TEST(FunctionSummary, CountsFailuresAndRejectionsButKeepsThemOut) {
  Record record = ExampleRecord();
  record.samples.push_back(Sample{.kind = SampleKind::kWarm,
                                  .outcome = Outcome::kFailed,
                                  .reason = "Bad",
                                  .duration_ms = 9e9,
                                  .max_memory_mb = 9999});
  record.samples.push_back(
      Sample{.kind = SampleKind::kWarm, .outcome = Outcome::kRejected, .duration_ms = 9e9});
  const auto summaries = Summarize(record, Prices());
  EXPECT_THAT(summaries[0].failures, ElementsAre(Pair("Bad", 1)));
  EXPECT_EQ(summaries[0].rejected, 1);
  EXPECT_EQ(summaries[0].warm->count, 10U);
  EXPECT_EQ(summaries[0].max_memory_mb, 90);
}

TEST(FunctionSummary, PricesAMillionRequestsWithTheirColdShare) {
  const Record record = ExampleRecord();
  const auto summaries = Summarize(record, Prices());
  const double seconds = 1e6 * (0.99 * 10 + 0.01 * summaries[0].cold_billed_ms) / 1000;
  EXPECT_NEAR(summaries[0].cost_per_million.value(), 0.2 + seconds * 0.5 * 0.0000166667, 1e-9);
}

TEST(FunctionSummary, HasNoPriceWhereTheTableHasNone) {
  Record record = ExampleRecord();
  record.pricing.region = "mars-north-1";
  EXPECT_FALSE(Summarize(record, Prices())[0].cost_per_million.has_value());
}

TEST(FunctionSummary, OfAFunctionWithoutSamplesIsEmpty) {
  Record record = ExampleRecord();
  record.samples.clear();
  const auto summaries = Summarize(record, Prices());
  EXPECT_FALSE(summaries[0].warm.has_value());
  EXPECT_FALSE(summaries[0].cost_per_million.has_value());
}

TEST(FunctionSummary, ShowsWhatTheEngineDid) {
  Record record = ExampleRecord();
  EXPECT_FALSE(Summarize(record, Prices())[0].engine_cold.has_value());
  record.samples[0].engine = EngineCounters{.mode = "jit", .tier0_functions = 9, .tier0_ms = 30};
  record.samples[1].engine = EngineCounters{.mode = "jit", .tier0_functions = 9, .tier0_ms = 20};
  record.samples[2].engine = EngineCounters{.mode = "jit", .tier0_functions = 9, .tier0_ms = 90};
  record.samples[15].engine = EngineCounters{.mode = "jit", .tier1_functions = 2};
  const auto summaries = Summarize(record, Prices());
  EXPECT_DOUBLE_EQ(summaries[0].engine_cold->tier0_ms, 30);
  EXPECT_EQ(summaries[0].engine_end->tier1_functions, 2);
  EXPECT_FALSE(summaries[1].engine_end.has_value());
}

TEST(ComparedPairs, HoldTheOthersOfAGroupAgainstJit) {
  Record record;
  const auto add = [&](const char* name, const char* group, const char* mode) {
    record.functions.push_back(Function{.name = name, .group = group, .mode = mode});
  };
  add("a-aot", "a", "aot");
  add("b", "", "");
  add("a-jit", "a", "jit");
  add("a-r2r", "a", "r2r");
  add("c", "", "");
  const auto pairs = ComparedPairs(record);
  ASSERT_THAT(pairs, SizeIs(3));
  EXPECT_EQ(pairs[0].reference, 1U);  // b against c: neither belongs to anything
  EXPECT_EQ(pairs[0].other, 4U);
  EXPECT_EQ(pairs[1].reference, 2U);
  EXPECT_EQ(pairs[1].other, 0U);
  EXPECT_EQ(pairs[2].other, 3U);
}

TEST(Label, NamesTheMemorySizeWhereTheNameIsNotEnough) {
  Record record;
  record.functions = {Function{.name = "f", .memory_mb = 128},
                      Function{.name = "f", .memory_mb = 256}, Function{.name = "g"}};
  EXPECT_EQ(LabelOf(record, 1), "f 256 MB");
  EXPECT_EQ(LabelOf(record, 2), "g");
}

}  // namespace
}  // namespace kelvin::lab
