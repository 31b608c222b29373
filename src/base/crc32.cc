#include "base/crc32.h"

#include <array>
#include <bit>
#include <cstring>

namespace kelvin {
namespace {

constexpr std::size_t kSlices = 8;
using Table = std::array<std::uint32_t, 256>;

// kTables[n][b] is what byte b does to the checksum when n zero bytes follow it, so that eight
// bytes are taken in one step.
constexpr std::array<Table, kSlices> kTables = [] {
  std::array<Table, kSlices> tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (0xedb88320U & (0U - (crc & 1)));
    tables[0][byte] = crc;
  }
  for (std::size_t slice = 1; slice < kSlices; ++slice) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = tables[slice - 1][byte];
      tables[slice][byte] = before >> 8 ^ tables[0][before & 255];
    }
  }
  return tables;
}();

static_assert(std::endian::native == std::endian::little, "Crc32 reads words of eight bytes");

}  // namespace

std::uint32_t Crc32(std::string_view bytes) {
  std::uint32_t crc = ~0U;
  while (bytes.size() >= kSlices) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), kSlices);
    word ^= crc;
    crc = 0;
    for (std::size_t i = 0; i < kSlices; ++i) crc ^= kTables[kSlices - 1 - i][word >> 8 * i & 255];
    bytes.remove_prefix(kSlices);
  }
  for (const char c : bytes) {
    crc = crc >> 8 ^ kTables[0][(crc ^ static_cast<unsigned char>(c)) & 255];
  }
  return ~crc;
}

}  // namespace kelvin
