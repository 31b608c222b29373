#pragma once

#include <cstdint>
#include <string_view>

namespace kelvin {

// The CRC-32 of zip, gzip and x-amz-crc32 (polynomial 0xEDB88320).
std::uint32_t Crc32(std::string_view bytes);

}  // namespace kelvin
