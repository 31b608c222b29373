#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace kelvin::lab {

// Pure functions over samples; none of them needs its input sorted unless it says so. A NaN in the
// input is the caller's mistake.

// A closed interval.
struct Interval {
  double low = 0;
  double high = 0;
  friend bool operator==(const Interval&, const Interval&) = default;
};

// The quantile of `sorted` (ascending, not empty) at `fraction` in [0, 1] by linear interpolation
// between order statistics at (n - 1) * fraction: Hyndman and Fan's type 7, the default of R, NumPy
// and spreadsheets.
double Quantile(std::span<const double> sorted, double fraction);

// Kahan-compensated, so that large offsets do not eat small spreads.
double Mean(std::span<const double> samples);

// The sample standard deviation (n - 1). 0 for fewer than two samples.
double StandardDeviation(std::span<const double> samples);

// 95% confidence interval of the mean by Student's t. None for fewer than two samples.
std::optional<Interval> MeanConfidence(double mean, double standard_deviation, std::size_t count);

// One-based ranks (k, n + 1 - k) of the order statistics that enclose the median with at least 95%
// confidence, by the binomial distribution. None below six samples: no pair is wide enough.
struct Ranks {
  std::size_t low = 0;
  std::size_t high = 0;
};
std::optional<Ranks> MedianConfidenceRanks(std::size_t count);

// The order statistics at those ranks.
std::optional<Interval> MedianConfidence(std::span<const double> sorted);

// Indices of the samples whose modified z-score 0.6745 (x - median) / MAD lies beyond 3.5 (Iglewicz
// and Hoaglin). Where more than half the samples are equal, so that MAD is 0, the mean absolute
// deviation takes its place: (x - median) / (1.253314 MeanAD).
std::vector<std::size_t> OutlierIndices(std::span<const double> samples);

// All of the above at once.
struct Summary {
  std::size_t count = 0;
  double mean = 0;
  double min = 0;
  double max = 0;
  double p50 = 0;
  double p90 = 0;
  double p95 = 0;
  double p99 = 0;
  double standard_deviation = 0;
  std::optional<Interval> mean_confidence;
  std::optional<Interval> median_confidence;
  std::size_t outliers = 0;
};

// None for no samples.
std::optional<Summary> Summarize(std::span<const double> samples);

}  // namespace kelvin::lab
