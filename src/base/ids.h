#pragma once

#include <cstdint>
#include <string>

namespace kelvin {

// The seam for randomness. Thread-safe.
class Random {
 public:
  virtual ~Random() = default;
  // Uniform over all 64-bit values.
  virtual std::uint64_t Next() = 0;
};

// The kernel's generator (getrandom); falls back on nothing: it cannot fail after boot.
class SystemRandom final : public Random {
 public:
  std::uint64_t Next() override;
};

// A version 4 UUID, lower-case: the form of Lambda's request ids and of record ids.
std::string NewUuid(Random& random);
// `digits` lower-case hexadecimal digits.
std::string NewHex(Random& random, int digits);

}  // namespace kelvin
