#pragma once

#include <atomic>

#include "base/clock.h"

namespace kelvin {

// A clock that stands still until a test moves it. Thread-safe.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(WallTime wall = WallTime{std::chrono::seconds{1'700'000'000}}) : wall_(wall) {}

  TimePoint Now() const override { return TimePoint{} + std::chrono::hours{1} + elapsed(); }
  WallTime WallNow() const override {
    return wall_ + std::chrono::duration_cast<WallTime::duration>(elapsed());
  }
  void SleepFor(std::chrono::nanoseconds duration) const override { Advance(duration); }
  void Advance(std::chrono::nanoseconds duration) const { elapsed_ns_ += duration.count(); }
  std::chrono::nanoseconds elapsed() const { return std::chrono::nanoseconds{elapsed_ns_.load()}; }

 private:
  WallTime wall_;
  mutable std::atomic<std::int64_t> elapsed_ns_{0};
};

}  // namespace kelvin
