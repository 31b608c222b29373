#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace kelvin::package {

// The little-endian number at an offset, or nothing where the bytes end before it does.
template <typename Number>
std::optional<Number> NumberAt(std::string_view bytes, std::uint64_t offset) {
  static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
  if (offset > bytes.size() || bytes.size() - offset < sizeof(Number)) return std::nullopt;
  Number number;
  std::memcpy(&number, bytes.data() + offset, sizeof number);
  return number;
}

// Part of `bytes`, or empty where it does not lie within.
inline std::string_view PartOf(std::string_view bytes, std::uint64_t offset, std::uint64_t size) {
  if (offset > bytes.size() || size > bytes.size() - offset) return {};
  return bytes.substr(offset, size);
}

}  // namespace kelvin::package
