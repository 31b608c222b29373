#pragma once

#include <compare>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include <boost/json/value_from.hpp>

namespace kelvin {

// A UUID as a value; in JSON, the usual 36 characters in lower case.
class Uuid {
 public:
  // The nil UUID.
  constexpr Uuid() = default;
  // Version 4 from 128 random bits, of which 6 give way to version and variant.
  static constexpr Uuid FromRandomBits(std::uint64_t high, std::uint64_t low) {
    return Uuid((high & ~0xf000ULL) | 0x4000ULL, (low & ~(3ULL << 62)) | (2ULL << 62));
  }
  // Version 4 from the kernel's generator.
  static Uuid Random();
  // Takes 36 characters in either case. The error says what was expected and what came.
  static std::expected<Uuid, std::string> Parse(std::string_view text);

  std::string ToString() const;
  constexpr std::uint64_t high() const { return high_; }
  constexpr std::uint64_t low() const { return low_; }
  friend constexpr auto operator<=>(const Uuid&, const Uuid&) = default;

 private:
  constexpr Uuid(std::uint64_t high, std::uint64_t low) : high_(high), low_(low) {}

  std::uint64_t high_ = 0;
  std::uint64_t low_ = 0;
};

// How Boost.JSON writes one.
void tag_invoke(boost::json::value_from_tag tag, boost::json::value& json, const Uuid& uuid);

}  // namespace kelvin
