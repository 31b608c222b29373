#include "lab/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/students_t.hpp>

namespace kelvin::lab {
namespace {

constexpr double kTail = 0.025;  // on each side of a 95% interval
constexpr double kOutlierScore = 3.5;
constexpr double kMadToSigma = 0.6745;
constexpr double kMeanDeviationToSigma = 1.253314;

std::vector<double> Sorted(std::span<const double> samples) {
  std::vector<double> sorted(samples.begin(), samples.end());
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

// What one unit of the modified z-score is worth; 0 when all samples are equal.
double OutlierUnit(std::span<const double> samples, double median) {
  std::vector<double> deviations;
  deviations.reserve(samples.size());
  for (const double sample : samples) deviations.push_back(std::abs(sample - median));
  std::sort(deviations.begin(), deviations.end());
  const double mad = Quantile(deviations, 0.5);
  if (mad > 0) return mad / kMadToSigma;
  return Mean(deviations) * kMeanDeviationToSigma;
}

}  // namespace

double Quantile(std::span<const double> sorted, double fraction) {
  const double position = static_cast<double>(sorted.size() - 1) * fraction;
  const auto below = static_cast<std::size_t>(position);
  if (below + 1 >= sorted.size()) return sorted.back();
  const double share = position - static_cast<double>(below);
  return sorted[below] + share * (sorted[below + 1] - sorted[below]);
}

double Mean(std::span<const double> samples) {
  if (samples.empty()) return 0;
  double sum = 0;
  double lost = 0;
  for (const double sample : samples) {
    const double corrected = sample - lost;
    const double next = sum + corrected;
    lost = (next - sum) - corrected;
    sum = next;
  }
  return sum / static_cast<double>(samples.size());
}

double StandardDeviation(std::span<const double> samples) {
  if (samples.size() < 2) return 0;
  const double mean = Mean(samples);
  double squares = 0;
  double drift = 0;  // what rounding left in the mean
  for (const double sample : samples) {
    squares += (sample - mean) * (sample - mean);
    drift += sample - mean;
  }
  const auto count = static_cast<double>(samples.size());
  return std::sqrt((squares - drift * drift / count) / (count - 1));
}

std::optional<Interval> MeanConfidence(double mean, double standard_deviation, std::size_t count) {
  if (count < 2) return std::nullopt;
  const boost::math::students_t distribution(static_cast<double>(count - 1));
  const double t = boost::math::quantile(boost::math::complement(distribution, kTail));
  const double reach = t * standard_deviation / std::sqrt(static_cast<double>(count));
  return Interval{mean - reach, mean + reach};
}

std::optional<Ranks> MedianConfidenceRanks(std::size_t count) {
  if (count < 6) return std::nullopt;
  const boost::math::binomial distribution(static_cast<double>(count), 0.5);
  // The largest k with P(fewer than k samples lie below the median) <= 2.5%.
  auto k = static_cast<std::size_t>(boost::math::quantile(distribution, kTail));
  while (k > 1 && boost::math::cdf(distribution, static_cast<double>(k) - 1) > kTail) --k;
  while (boost::math::cdf(distribution, static_cast<double>(k)) <= kTail) ++k;
  return Ranks{std::max<std::size_t>(k, 1), count + 1 - std::max<std::size_t>(k, 1)};
}

std::optional<Interval> MedianConfidence(std::span<const double> sorted) {
  const auto ranks = MedianConfidenceRanks(sorted.size());
  if (!ranks) return std::nullopt;
  return Interval{sorted[ranks->low - 1], sorted[ranks->high - 1]};
}

std::vector<std::size_t> OutlierIndices(std::span<const double> samples) {
  std::vector<std::size_t> outliers;
  if (samples.empty()) return outliers;
  const double median = Quantile(Sorted(samples), 0.5);
  const double unit = OutlierUnit(samples, median);
  if (unit <= 0) return outliers;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (std::abs(samples[i] - median) / unit > kOutlierScore) outliers.push_back(i);
  }
  return outliers;
}

std::optional<Summary> Summarize(std::span<const double> samples) {
  if (samples.empty()) return std::nullopt;
  const std::vector<double> sorted = Sorted(samples);
  Summary summary;
  summary.count = sorted.size();
  summary.mean = Mean(sorted);
  summary.min = sorted.front();
  summary.max = sorted.back();
  summary.p50 = Quantile(sorted, 0.50);
  summary.p90 = Quantile(sorted, 0.90);
  summary.p95 = Quantile(sorted, 0.95);
  summary.p99 = Quantile(sorted, 0.99);
  summary.standard_deviation = StandardDeviation(sorted);
  summary.mean_confidence = MeanConfidence(summary.mean, summary.standard_deviation, summary.count);
  summary.median_confidence = MedianConfidence(sorted);
  summary.outliers = OutlierIndices(sorted).size();
  return summary;
}

}  // namespace kelvin::lab
