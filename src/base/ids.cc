#include "base/ids.h"

#include <cstdlib>
#include <string_view>

#include <sys/random.h>

namespace kelvin {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

void AppendHex(std::string& out, std::uint64_t bits, int digits) {
  for (int i = digits - 1; i >= 0; --i) out += kHex[bits >> (4 * i) & 15];
}

}  // namespace

std::uint64_t SystemRandom::Next() {
  std::uint64_t value = 0;
  // Requests of up to 256 bytes are never interrupted once the pool is ready.
  if (::getrandom(&value, sizeof value, 0) != sizeof value) std::abort();
  return value;
}

std::string NewUuid(Random& random) {
  const std::uint64_t high = (random.Next() & ~0xf000ULL) | 0x4000ULL;
  const std::uint64_t low = (random.Next() & ~(3ULL << 62)) | (2ULL << 62);
  std::string out;
  out.reserve(36);
  AppendHex(out, high >> 32, 8);
  out += '-';
  AppendHex(out, high >> 16, 4);
  out += '-';
  AppendHex(out, high, 4);
  out += '-';
  AppendHex(out, low >> 48, 4);
  out += '-';
  AppendHex(out, low, 12);
  return out;
}

std::string NewHex(Random& random, int digits) {
  std::string out;
  out.reserve(static_cast<std::size_t>(digits));
  while (digits > 0) {
    const int take = digits < 16 ? digits : 16;
    AppendHex(out, random.Next(), take);
    digits -= take;
  }
  return out;
}

}  // namespace kelvin
