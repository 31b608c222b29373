#pragma once

#include <chrono>

namespace kelvin {

// The seam for time. Thread-safe.
class Clock {
 public:
  // Monotonic; for durations and deadlines.
  using TimePoint = std::chrono::steady_clock::time_point;
  // UTC; for what people and wire formats see.
  using WallTime = std::chrono::system_clock::time_point;

  virtual ~Clock() = default;
  virtual TimePoint Now() const = 0;
  virtual WallTime WallNow() const = 0;
  // Waits; a fake clock moves on instead.
  virtual void SleepFor(std::chrono::nanoseconds duration) const = 0;
};

class SystemClock final : public Clock {
 public:
  TimePoint Now() const override { return std::chrono::steady_clock::now(); }
  WallTime WallNow() const override { return std::chrono::system_clock::now(); }
  void SleepFor(std::chrono::nanoseconds duration) const override;
};

// No deadline: waits for as long as it takes.
inline constexpr Clock::TimePoint kNoDeadline = Clock::TimePoint::max();

}  // namespace kelvin
