#include "lab/comparison.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>

namespace kelvin::lab {
namespace {

constexpr double kTail = 0.025;  // on each side of a 95% interval
constexpr std::size_t kExactBelow = 50;

double UpperNormalQuantile(double tail) {
  return boost::math::quantile(boost::math::complement(boost::math::normal(), tail));
}

struct Pooled {
  double value;
  bool first;
};

// The rank sum of `a` in both together, and the sum of t^3 - t over runs of t equal samples.
struct PooledRanks {
  double first_sum = 0;
  double ties = 0;
};

PooledRanks RankBoth(std::span<const double> a, std::span<const double> b) {
  std::vector<Pooled> pooled;
  pooled.reserve(a.size() + b.size());
  for (const double value : a) pooled.push_back({value, true});
  for (const double value : b) pooled.push_back({value, false});
  std::ranges::sort(pooled, {}, &Pooled::value);
  PooledRanks ranks;
  for (std::size_t start = 0; start < pooled.size();) {
    std::size_t end = start;
    while (end < pooled.size() && pooled[end].value == pooled[start].value) ++end;
    const double middle = static_cast<double>(start + 1 + end) / 2;
    for (std::size_t i = start; i < end; ++i) {
      if (pooled[i].first) ranks.first_sum += middle;
    }
    const auto run = static_cast<double>(end - start);
    ranks.ties += run * run * run - run;
    start = end;
  }
  return ranks;
}

// P(U <= u) without ties: the coefficients of the Gaussian binomial, the product over i of
// (1 - q^(n+i)) / (1 - q^i), are the numbers of ways to get each U.
double ExactLowerTail(std::size_t m, std::size_t n, double u) {
  const std::size_t largest = m * n;
  std::vector<double> ways(largest + 1);
  ways[0] = 1;
  for (std::size_t i = 1; i <= m; ++i) {
    for (std::size_t k = largest; k >= n + i && k <= largest; --k) ways[k] -= ways[k - n - i];
    for (std::size_t k = i; k <= largest; ++k) ways[k] += ways[k - i];
  }
  double all = 0;
  double below = 0;
  for (std::size_t k = 0; k <= largest; ++k) {
    all += ways[k];
    if (static_cast<double>(k) <= u) below += ways[k];
  }
  return below / all;
}

double ApproximateP(double u, double m, double n, double ties) {
  const double total = m + n;
  const double variance = m * n / 12 * (total + 1 - ties / (total * (total - 1)));
  if (variance <= 0) return 1;  // every sample is the same
  const double off = u - m * n / 2;
  const double correction = off == 0 ? 0 : std::copysign(0.5, off);
  const double z = std::abs(off - correction) / std::sqrt(variance);
  return std::min(1.0, 2 * boost::math::cdf(boost::math::complement(boost::math::normal(), z)));
}

std::vector<double> SortedTimes(std::span<const double> samples) {
  std::vector<double> sorted(samples.begin(), samples.end());
  for (double& sample : sorted) sample = std::max(sample, kSmallestTime);
  std::ranges::sort(sorted);
  return sorted;
}

// The standard error of the logarithm of a quantile: the distance of two order statistics about two
// standard errors to either side, over the normal distance that their coverage stands for.
std::optional<double> LogQuantileError(const std::vector<double>& sorted, double fraction) {
  const auto count = static_cast<double>(sorted.size());
  const double middle = count * fraction;
  const double reach = 2 * std::sqrt(count * fraction * (1 - fraction));
  double low = std::round(middle - reach);
  double high = std::round(middle + reach) + 1;
  if (fraction == 0.5) {  // symmetric, and to the outermost samples for the smallest sets
    low = std::max(low, 1.0);
    high = count + 1 - low;
  }
  if (low < 1 || high > count || low >= high) return std::nullopt;
  const boost::math::binomial below(count, fraction);
  const double tails =
      boost::math::cdf(below, low - 1) + boost::math::cdf(boost::math::complement(below, high - 1));
  const double span = std::log(sorted[static_cast<std::size_t>(high) - 1]) -
                      std::log(sorted[static_cast<std::size_t>(low) - 1]);
  return span / (2 * UpperNormalQuantile(tails / 2));
}

Interval AroundLog(double log_ratio, double reach) {
  return Interval{std::exp(log_ratio - reach), std::exp(log_ratio + reach)};
}

}  // namespace

std::optional<RankTest> MannWhitney(std::span<const double> a, std::span<const double> b) {
  if (a.empty() || b.empty()) return std::nullopt;
  const PooledRanks ranks = RankBoth(a, b);
  const auto m = static_cast<double>(a.size());
  const auto n = static_cast<double>(b.size());
  RankTest test{.u = ranks.first_sum - m * (m + 1) / 2};
  if (ranks.ties == 0 && a.size() < kExactBelow && b.size() < kExactBelow) {
    // U and mn - U are equally distributed, so one tail does for both.
    const double smaller = std::min(test.u, m * n - test.u);
    test.p = std::min(1.0, 2 * ExactLowerTail(a.size(), b.size(), smaller));
  } else {
    test.p = ApproximateP(test.u, m, n, ranks.ties);
  }
  return test;
}

std::optional<Ratio> RatioOfMedians(std::span<const double> a, std::span<const double> b) {
  return RatioOfQuantiles(a, b, 0.5);
}

std::optional<Ratio> RatioOfQuantiles(std::span<const double> a, std::span<const double> b,
                                      double fraction) {
  if (a.empty() || b.empty()) return std::nullopt;
  const std::vector<double> sorted_a = SortedTimes(a);
  const std::vector<double> sorted_b = SortedTimes(b);
  Ratio ratio{.value = Quantile(sorted_a, fraction) / Quantile(sorted_b, fraction)};
  const auto error_a = LogQuantileError(sorted_a, fraction);
  const auto error_b = LogQuantileError(sorted_b, fraction);
  if (error_a && error_b) {
    const double reach = UpperNormalQuantile(kTail) * std::hypot(*error_a, *error_b);
    ratio.interval = AroundLog(std::log(ratio.value), reach);
  }
  return ratio;
}

std::optional<Ratio> RatioOfMeans(std::span<const double> a, std::span<const double> b) {
  if (a.empty() || b.empty()) return std::nullopt;
  const double mean_a = std::max(Mean(a), kSmallestTime);
  const double mean_b = std::max(Mean(b), kSmallestTime);
  Ratio ratio{.value = mean_a / mean_b};
  if (a.size() < 2 || b.size() < 2) return ratio;
  const auto relative_variance = [](std::span<const double> samples, double mean) {
    const double relative = StandardDeviation(samples) / mean;
    return relative * relative / static_cast<double>(samples.size());
  };
  const double part_a = relative_variance(a, mean_a);
  const double part_b = relative_variance(b, mean_b);
  const double variance = part_a + part_b;
  if (variance <= 0) {
    ratio.interval = Interval{ratio.value, ratio.value};
    return ratio;
  }
  const double freedom = variance * variance /
                         (part_a * part_a / static_cast<double>(a.size() - 1) +
                          part_b * part_b / static_cast<double>(b.size() - 1));
  const double t =
      boost::math::quantile(boost::math::complement(boost::math::students_t(freedom), kTail));
  ratio.interval = AroundLog(std::log(ratio.value), t * std::sqrt(variance));
  return ratio;
}

}  // namespace kelvin::lab
