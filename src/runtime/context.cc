#include "kelvin/context.h"

#include <algorithm>

#include "base/clock.h"

namespace kelvin {
namespace {

const Clock& ClockOr(const Clock* clock, const Clock& fallback) {
  return clock != nullptr ? *clock : fallback;
}

}  // namespace

std::chrono::milliseconds Context::RemainingTime() const {
  using std::chrono::milliseconds;
  if (deadline() == InvocationInfo::kNoDeadline) return milliseconds::max();
  const SystemClock system;
  const auto left = deadline() - ClockOr(clock_, system).WallNow();
  return std::max(std::chrono::floor<milliseconds>(left), milliseconds(0));
}

std::chrono::steady_clock::time_point Context::SteadyDeadline() const {
  if (deadline() == InvocationInfo::kNoDeadline) return kelvin::kNoDeadline;
  const SystemClock system;
  return ClockOr(clock_, system).Now() + RemainingTime();
}

}  // namespace kelvin
