#include "base/clock.h"

#include <cerrno>
#include <ctime>

namespace kelvin {

void SystemClock::SleepFor(std::chrono::nanoseconds duration) const {
  if (duration.count() <= 0) return;
  timespec left{.tv_sec = static_cast<time_t>(duration.count() / 1'000'000'000),
                .tv_nsec = static_cast<long>(duration.count() % 1'000'000'000)};
  while (::clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
  }
}

}  // namespace kelvin
