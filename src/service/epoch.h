#pragma once

#include <chrono>
#include <cstdint>

#include "base/clock.h"

namespace kelvin::service {

inline std::int64_t EpochMilliseconds(Clock::WallTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

}  // namespace kelvin::service
