// Accept-Encoding headers and gzip bodies; what was unpacked packs and unpacks to itself.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "tables/content_coding.h"

namespace tables = kelvin::tables;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMax = 1 << 20;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  (void)tables::PreferredCoding(input);
  const auto unpacked = tables::Gunzip(input, kMax);
  if (!unpacked) return 0;
  const auto again = tables::Gunzip(tables::Encode(*unpacked, tables::ContentCoding::kGzip), kMax);
  if (!again || *again != *unpacked) std::abort();
  return 0;
}
