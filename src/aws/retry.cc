#include "aws/retry.h"

#include <algorithm>
#include <cstdint>

namespace kelvin::aws {

bool IsRetryable(ErrorCode code) {
  switch (code) {
    case ErrorCode::kThrottled:
    case ErrorCode::kUnavailable:
    case ErrorCode::kTimeout:
    case ErrorCode::kCorrupt:
      return true;
    default:
      return false;
  }
}

Retrier::Retrier(const RetryPolicy& policy, const Clock& clock, Random& random,
                 Clock::TimePoint deadline)
    : policy_(policy), clock_(clock), random_(random), deadline_(deadline) {}

bool Retrier::WaitForNext(ErrorCode code) {
  if (!IsRetryable(code) || attempts_ >= policy_.max_attempts) return false;
  const auto ceiling = std::min<std::chrono::nanoseconds>(
      policy_.cap, policy_.base * (std::int64_t{1} << std::min(attempts_ - 1, 20)));
  const std::chrono::nanoseconds wait{static_cast<std::int64_t>(
      random_.Next() % (static_cast<std::uint64_t>(ceiling.count()) + 1))};
  if (deadline_ != kNoDeadline && wait >= deadline_ - clock_.Now()) return false;
  clock_.SleepFor(wait);
  ++attempts_;
  return true;
}

}  // namespace kelvin::aws
