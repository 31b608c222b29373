#include "lab/sweep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/example_record.h"

namespace kelvin::lab {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::vector<SweepPoint> kPoints = {
    {0, 128, 100, 1.0}, {1, 256, 50, 0.9}, {2, 512, 30, 1.2}, {3, 1024, 29, 2.5}, {4, 1769, 29, 4}};

TEST(ParetoFront, LeavesOutWhatAnotherBeatsInBoth) {
  EXPECT_THAT(ParetoFront(kPoints), ElementsAre(false, true, true, true, false));
  EXPECT_THAT(ParetoFront({{0, 1, 5, 5}, {1, 2, 5, 5}}), ElementsAre(true, true));
}

TEST(Recommend, FollowsTheStrategy) {
  EXPECT_EQ(Recommend(kPoints, Strategy::kCost, 0.5), 1U);
  EXPECT_EQ(Recommend(kPoints, Strategy::kSpeed, 0.5), 3U);  // of two equals the cheaper
  // 0.5 x cost/4 + 0.5 x ms/100: 0.625, 0.3625, 0.3, 0.4575, 0.645.
  EXPECT_EQ(Recommend(kPoints, Strategy::kBalanced, 0.5), 2U);
  EXPECT_EQ(Recommend(kPoints, Strategy::kBalanced, 1), 1U);
  EXPECT_EQ(Recommend(kPoints, Strategy::kBalanced, 0), 3U);
  EXPECT_FALSE(Recommend({}, Strategy::kCost, 0.5).has_value());
}

TEST(SweepReport, DrawsTheFrontAndNamesTheSizes) {
  Record record = ExampleRecord();
  record.functions[0].memory_mb = 128;
  record.functions[1].memory_mb = 1769;
  const PriceTable prices = ParsePriceTable(BuiltInPrices()).value();
  const std::string text =
      SweepReport(record, prices, {.strategy = Strategy::kSpeed, .cost_weight = 0.5}, {});
  EXPECT_THAT(text, HasSubstr("*1769"));
  EXPECT_THAT(text, HasSubstr("> speed      1769 MB"));
  record.samples.clear();
  EXPECT_THAT(SweepReport(record, prices, {}, {}), HasSubstr("Nothing was measured"));
}

}  // namespace
}  // namespace kelvin::lab
