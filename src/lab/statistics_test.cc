#include "lab/statistics.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kelvin::lab {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The gauge study of the NIST/SEMATECH e-Handbook, section 7.2.6.2, sorted.
const std::vector<double> kGauge = {95.0610, 95.0925, 95.1065, 95.1195, 95.1442, 95.1567,
                                    95.1591, 95.1682, 95.1772, 95.1937, 95.1959, 95.1990};

// NIST StRD "NumAcc": a middle value and `pairs` pairs a tenth to either side.
std::vector<double> NumAcc(double middle, int pairs) {
  std::vector<double> samples = {middle};
  for (int i = 0; i < pairs; ++i) {
    samples.push_back(middle - 0.1);
    samples.push_back(middle + 0.1);
  }
  return samples;
}

TEST(Quantile, AgreesWithTheHandbooksTypeSeven) {
  EXPECT_NEAR(Quantile(kGauge, 0.9), 95.1957, 5e-5);
}

TEST(Quantile, ReachesBothEndsAndTheMiddle) {
  const std::vector<double> samples = {1, 2, 3, 4};
  EXPECT_DOUBLE_EQ(Quantile(samples, 0), 1);
  EXPECT_DOUBLE_EQ(Quantile(samples, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(Quantile(samples, 1), 4);
  EXPECT_DOUBLE_EQ(Quantile(std::vector<double>{7}, 0.99), 7);
}

TEST(Spread, MeetsTheCertifiedValuesOfNistStrd) {
  const std::vector<double> numacc1 = {10000001, 10000003, 10000002};
  EXPECT_DOUBLE_EQ(Mean(numacc1), 10000002);
  EXPECT_DOUBLE_EQ(StandardDeviation(numacc1), 1);
  for (const double middle : {1.2, 1000000.2, 10000000.2}) {
    const std::vector<double> samples = NumAcc(middle, 500);
    EXPECT_NEAR(Mean(samples), middle, 1e-9 * middle);
    EXPECT_NEAR(StandardDeviation(samples), 0.1, 1e-8) << middle;
  }
}

TEST(Spread, OfOneSampleIsZero) {
  EXPECT_EQ(StandardDeviation(std::vector<double>{3}), 0);
}

TEST(MeanConfidence, AgreesWithTheHandbooksHeatFlowExample) {
  // e-Handbook 1.3.5.2: N = 195, mean 9.261460, standard deviation 0.022789.
  const auto interval = MeanConfidence(9.261460, 0.022789, 195);
  ASSERT_TRUE(interval.has_value());
  EXPECT_NEAR(interval->low, 9.258242, 1e-6);
  EXPECT_NEAR(interval->high, 9.264679, 1e-6);
}

TEST(MeanConfidence, UsesStudentsTable) {
  // t(0.975) with 10 degrees of freedom is 2.228 in every printed table.
  const auto interval = MeanConfidence(0, std::sqrt(11.0), 11);
  EXPECT_NEAR(interval->high, 2.228, 5e-4);
  EXPECT_FALSE(MeanConfidence(1, 0, 1).has_value());
}

TEST(MedianConfidence, HasTheRanksOfThePrintedTables) {
  // The sign-test table: n and the lower rank for 95%.
  const std::vector<std::pair<std::size_t, std::size_t>> table = {
      {6, 1}, {8, 1}, {9, 2}, {10, 2}, {12, 3}, {15, 4}, {20, 6}, {25, 8}, {50, 18}, {100, 40}};
  for (const auto& [count, low] : table) {
    const auto ranks = MedianConfidenceRanks(count);
    ASSERT_TRUE(ranks.has_value());
    EXPECT_EQ(ranks->low, low) << count;
    EXPECT_EQ(ranks->high, count + 1 - low) << count;
  }
  EXPECT_FALSE(MedianConfidenceRanks(5).has_value());
}

TEST(MedianConfidence, IsTheWidestNeededForEveryCount) {
  for (std::size_t count = 6; count <= 60; ++count) {
    const auto ranks = MedianConfidenceRanks(count);
    ASSERT_TRUE(ranks.has_value());
    // P(X < k) for X ~ Bin(count, 1/2), by plain summation.
    double term = std::pow(0.5, static_cast<double>(count));
    double below = 0;
    for (std::size_t i = 0; i < ranks->low; ++i) {
      below += term;
      term *= static_cast<double>(count - i) / static_cast<double>(i + 1);
    }
    EXPECT_LE(below, 0.025) << count;
    EXPECT_GT(below + term, 0.025) << count;
  }
}

TEST(MedianConfidence, TakesTheOrderStatistics) {
  const auto interval = MedianConfidence(kGauge);
  EXPECT_EQ(interval, (Interval{95.1065, 95.1937}));
}

TEST(Outliers, AreThoseOfIglewiczAndHoaglin) {
  const std::vector<double> samples = {2.1, 2.6, 2.4, 2.5, 2.3, 2.1, 2.3, 2.6, 8.2, 8.3};
  EXPECT_THAT(OutlierIndices(samples), ElementsAre(8, 9));
}

TEST(Outliers, AreFoundWhereMostSamplesAreEqual) {
  const std::vector<double> samples = {1, 1, 1, 1, 1, 1, 1, 1, 1, 50};
  EXPECT_THAT(OutlierIndices(samples), ElementsAre(9));
}

TEST(Outliers, AreNoneAmongEqualOrNoSamples) {
  EXPECT_THAT(OutlierIndices(std::vector<double>{3, 3, 3}), IsEmpty());
  EXPECT_THAT(OutlierIndices(std::vector<double>{}), IsEmpty());
}

TEST(Summary, KeepsOutliersInEveryFigure) {
  const std::vector<double> samples = {2.1, 2.6, 2.4, 2.5, 2.3, 2.1, 2.3, 2.6, 8.2, 8.3};
  const auto summary = Summarize(samples);
  ASSERT_TRUE(summary.has_value());
  EXPECT_EQ(summary->count, 10U);
  EXPECT_EQ(summary->outliers, 2U);
  EXPECT_DOUBLE_EQ(summary->max, 8.3);
  EXPECT_NEAR(summary->mean, 3.54, 1e-12);
  EXPECT_DOUBLE_EQ(summary->p50, 2.45);
  EXPECT_EQ(summary->median_confidence, (Interval{2.1, 8.2}));
}

TEST(Summary, OfNothingIsNone) {
  EXPECT_FALSE(Summarize(std::vector<double>{}).has_value());
}

}  // namespace
}  // namespace kelvin::lab
