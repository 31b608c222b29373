#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "deploy/lambda.h"

namespace kelvin::deploy {

// "errors > 1%", "p99 > 1.2x", "p99 > 250ms": when a rollout is given up. Percentages are of
// invokes; "1.2x" is against the old version in the same time.
struct AbortRule {
  enum class Figure { kErrors, kMean, kP50, kP99 };
  enum class Unit { kPercent, kRatio, kMilliseconds };
  Figure figure = Figure::kErrors;
  double limit = 0;
  Unit unit = Unit::kPercent;
  std::string text;  // as it was written
};
std::expected<AbortRule, Error> ParseAbortRule(std::string_view text);
// "10,25,50,100": percentages that rise and end with 100.
std::expected<std::vector<int>, Error> ParseSteps(std::string_view text);
// "30s", "5m", "500ms".
std::expected<std::chrono::milliseconds, Error> ParseDuration(std::string_view text);

// What was seen of one version in one step.
struct VersionFigures {
  std::uint64_t invocations = 0;
  std::uint64_t errors = 0;
  double mean_ms = 0;
  double p50_ms = 0;
  double p99_ms = 0;
};

// The seam to what watches: CloudWatch, or the local service.
class Metrics {
 public:
  virtual ~Metrics() = default;
  virtual std::expected<VersionFigures, Error> Since(const std::string& function,
                                                     const std::string& alias,
                                                     const std::string& version,
                                                     Clock::WallTime from) = 0;
};

struct RolloutOptions {
  std::string function;
  std::string alias = "live";
  std::string to;  // version; empty: the newest
  std::vector<int> steps = {10, 25, 50, 100};
  std::chrono::milliseconds every{300'000};
  std::uint64_t min_invocations = 0;  // of the new version, before a step may end; 0: none
  std::vector<AbortRule> rules;
};

struct RolloutStep {
  int percent = 0;
  VersionFigures old_version;
  VersionFigures new_version;
};

struct RolloutOutcome {
  std::string from;
  std::string to;
  std::vector<RolloutStep> steps;
  std::string aborted_by;  // the rule and its figures; empty: it went through
};

// Which rule is broken, with the figures, or nothing. Without invokes of the new version none is.
std::optional<std::string> BrokenRule(const std::vector<AbortRule>& rules,
                                      const VersionFigures& old_version,
                                      const VersionFigures& new_version);

// Moves an alias to a version step by step, and back when a rule breaks. Where a rollout stands is
// kept in the alias alone: after an interruption the same call goes on with the step it had
// reached. Fails with kNotFound for an alias or version that does not exist, and with
// kAlreadyExists when somebody else has moved the alias meanwhile; the alias then stays as it is.
// `told` is called before each wait and at the end of each step. `stop` ends it after the current
// wait, with the alias where it is.
std::expected<RolloutOutcome, Error> Rollout(Lambda& lambda, Metrics& metrics, const Clock& clock,
                                             const RolloutOptions& options,
                                             const std::function<void(std::string_view)>& told,
                                             const std::function<bool()>& stop);

}  // namespace kelvin::deploy
