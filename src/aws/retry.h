#pragma once

#include <chrono>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/ids.h"

namespace kelvin::aws {

// How often and how fast to try again. The wait before attempt n+1 is uniform between nothing and
// the smaller of `cap` and `base` x 2^(n-1), so that many clients do not come back together.
struct RetryPolicy {
  int max_attempts = 8;
  std::chrono::milliseconds base{50};
  std::chrono::milliseconds cap{5000};
};

// Whether another attempt may go better: throttled, unavailable, timed out or damaged on the way.
bool IsRetryable(ErrorCode code);

// Counts and spaces the attempts of one call. The clock and the random source outlive it.
class Retrier {
 public:
  Retrier(const RetryPolicy& policy, const Clock& clock, Random& random, Clock::TimePoint deadline);

  // After a failed attempt: waits and says true when another is worth making; false when the
  // error is final, the attempts are used up, or the wait would pass the deadline.
  bool WaitForNext(ErrorCode code);
  int attempts() const { return attempts_; }

 private:
  RetryPolicy policy_;
  const Clock& clock_;
  Random& random_;
  Clock::TimePoint deadline_;
  int attempts_ = 1;
};

// Calls `attempt()` (which returns a std::expected) until it succeeds or trying again is of no
// use. The last error comes back, saying how many attempts were made when it was more than one.
template <typename Attempt>
auto WithRetries(Retrier retrier, Attempt attempt) -> decltype(attempt()) {
  for (;;) {
    auto result = attempt();
    if (result) return result;
    if (retrier.WaitForNext(result.error().code)) continue;
    if (retrier.attempts() > 1) {
      result.error().message += " (" + std::to_string(retrier.attempts()) + " attempts)";
    }
    return result;
  }
}

}  // namespace kelvin::aws
