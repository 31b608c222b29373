#include "lab/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/example_record.h"

namespace kelvin::lab {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

PriceTable Prices() {
  return ParsePriceTable(BuiltInPrices()).value();
}

std::optional<double> Cold(const FunctionSummary& summary) {
  return summary.cold_total ? std::optional(summary.cold_total->p50) : std::nullopt;
}
std::optional<Interval> ColdInterval(const FunctionSummary& summary) {
  return summary.cold_total ? summary.cold_total->median_confidence : std::nullopt;
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
  EXPECT_THAT(FindImprovements(record, summaries, Cold, ColdInterval), IsEmpty());
}

TEST(Improvement, IsFoundBetweenTheBuildsOfAGroup) {
  const Record record = ExampleRecord();
  const auto found = FindImprovements(record, Summarize(record, Prices()), Cold, ColdInterval);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].worst, 0U);
  EXPECT_EQ(found[0].best, 1U);
  EXPECT_NEAR(found[0].ratio, 127 / 19.0, 0.01);
  EXPECT_TRUE(found[0].clear);
}

TEST(Improvement, IsNotClaimedAcrossGroups) {
  Record record = ExampleRecord();
  record.functions[1].group = "another";
  EXPECT_THAT(FindImprovements(record, Summarize(record, Prices()), Cold, ColdInterval), IsEmpty());
}

TEST(Improvement, IsNotClearWhenTheIntervalsOverlap) {
  Record record = ExampleRecord();
  for (Sample& sample : record.samples) {
    if (sample.function == 1 && sample.init_ms) sample.init_ms = *sample.init_ms + 107;
  }
  const auto found = FindImprovements(record, Summarize(record, Prices()), Cold, ColdInterval);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_FALSE(found[0].clear);
}

}  // namespace
}  // namespace kelvin::lab
