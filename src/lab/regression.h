#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "lab/comparison.h"
#include "lab/cost.h"
#include "lab/record.h"
#include "lab/summary.h"
#include "lab/table.h"

namespace kelvin::lab {

// A rule as 'cold.p50 > 10%' or 'warm.mean > 0.5 ms': fails when the new record's figure is larger
// than the old one's by more than that. Figures of times are init, first, cold, warm_up, warm,
// client_cold and client_warm, each with mean, min, p50, p90, p95, p99 or max; figures of one value
// are memory, package and cost.
struct FailIf {
  std::string text;  // as it was given
  std::string figure;
  std::string statistic;  // empty for figures of one value
  double limit = 0;
  enum class Unit { kPercent, kAbsolute } unit = Unit::kPercent;
};

// Fails with kInvalidArgument, saying what a rule looks like, on what can never be met too.
std::expected<FailIf, Error> ParseFailIf(std::string_view text);

// How one figure of one function changed.
struct Change {
  std::string function = {};
  std::string figure = {};  // "cold.p50"
  double before = 0;
  double after = 0;
  // After over before; without an interval for exact figures and where there are too few samples.
  Ratio ratio = {};
  std::optional<double> p = {};  // Mann-Whitney, of the distributions behind it
  bool significant = false;
  std::string broken = {};  // the rule that it breaks; empty otherwise
};

struct Regression {
  std::vector<Change> changes;
  std::vector<std::string> notes;  // what makes the two hard to compare
  bool failed() const;
};

// Compares records of the same functions: those of the same name, or the only one of each. A change
// breaks a rule when it is beyond the rule's limit and significant: the 95% interval of the ratio
// leaves 1 out and, for the median and the mean, p is below 0.05; figures of one value need no
// test. Fails with kInvalidArgument when the records have no function in common, or a rule names a
// figure that one of them has no samples of.
std::expected<Regression, Error> CompareRecords(const Record& before, const Record& after,
                                                const std::vector<FailIf>& rules,
                                                const PriceTable& prices);

// Fit for a terminal and for a pull request.
std::string RegressionText(const Regression& regression, const Style& style);
std::string RegressionMarkdown(const Regression& regression, const Record& before,
                               const Record& after);

}  // namespace kelvin::lab
