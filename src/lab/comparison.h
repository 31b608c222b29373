#pragma once

#include <optional>
#include <span>

#include "lab/statistics.h"

namespace kelvin::lab {

// Pure functions that compare two independent sets of samples. None of them needs its input sorted.

// The Mann-Whitney U test (Wilcoxon's rank sum), two-sided: how probable is so large a difference
// between the two if both come from one distribution?
struct RankTest {
  double u = 0;  // pairs in which the first is larger; ties count half
  double p = 1;
};

// Exact for fewer than 50 samples on both sides without ties, else by the normal approximation with
// corrections for ties and continuity, as R's wilcox.test does. None when one side has no samples.
std::optional<RankTest> MannWhitney(std::span<const double> a, std::span<const double> b);

// One figure over the same figure of a reference, with its 95% confidence interval where there are
// samples enough for one.
struct Ratio {
  double value = 1;
  std::optional<Interval> interval = {};
  // Whether the interval leaves 1 out.
  bool clear() const { return interval && (interval->low > 1 || interval->high < 1); }
};

// Of the medians, distribution-free on the log scale (Bonett and Price 2020, as statpsych's
// ci.ratio.median2). Samples below kSmallestTime count as that, since zero has no logarithm. None
// when one side has no samples.
std::optional<Ratio> RatioOfMedians(std::span<const double> a, std::span<const double> b);

// The same for the quantile at `fraction`, by the order statistics two standard errors around it;
// without an interval where there are too few samples for those.
std::optional<Ratio> RatioOfQuantiles(std::span<const double> a, std::span<const double> b,
                                      double fraction);

// Of the means: the log ratio with Welch's degrees of freedom (Bonett and Price 2020).
std::optional<Ratio> RatioOfMeans(std::span<const double> a, std::span<const double> b);

// Half of what a REPORT line can tell apart, in milliseconds.
inline constexpr double kSmallestTime = 0.005;

}  // namespace kelvin::lab
