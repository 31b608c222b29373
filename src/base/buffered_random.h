#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "base/ids.h"

namespace kelvin {

// As SystemRandom, but taken from the kernel many at a time. A process that forks must not go on
// using one in both halves.
class BufferedRandom final : public Random {
 public:
  std::uint64_t Next() override;

 private:
  std::mutex mutex_;
  std::array<std::uint64_t, 32> values_{};  // 256 bytes: requests of no more are never interrupted
  std::size_t left_ = 0;
};

}  // namespace kelvin
