#include "package/zip_builder.h"

namespace kelvin::package {
namespace {

template <int kBytes>
void Append(std::string& text, std::uint64_t number) {
  for (int i = 0; i < kBytes; ++i) text.push_back(static_cast<char>(number >> (8 * i)));
}

std::uint32_t Crc32(std::string_view bytes) {
  std::uint32_t crc = ~0U;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320U : 0);
  }
  return ~crc;
}

}  // namespace

void ZipBuilder::Add(const Entry& entry) {
  const std::uint64_t offset = local_.size();
  const std::uint64_t size = entry.claimed_size >= 0
                                 ? static_cast<std::uint64_t>(entry.claimed_size)
                                 : entry.content.size();
  std::string common;  // what the local and the central header share
  Append<2>(common, 20);
  Append<2>(common, entry.flags);
  Append<2>(common, 0);           // stored
  Append<4>(common, 0x00210000);  // 1980-01-01
  Append<4>(common, Crc32(entry.content) + (entry.wrong_crc ? 1 : 0));
  Append<4>(common, size);
  Append<4>(common, size);
  Append<2>(common, entry.name.size());
  Append<2>(common, 0);  // no extra field

  local_ += "PK\3\4" + common + entry.name + entry.content;
  central_ += "PK\1\2";
  Append<2>(central_, (3 << 8) | 20);  // made on Unix, so that the mode counts
  central_ += common;
  Append<2>(central_, 0);  // no comment
  Append<2>(central_, 0);  // first disk
  Append<2>(central_, 0);
  Append<4>(central_, std::uint64_t{entry.mode} << 16);
  Append<4>(central_, offset);
  central_ += entry.name;
  ++entries_;
}

std::string ZipBuilder::Finish() const {
  std::string zip = local_ + central_ + "PK\5\6";
  Append<4>(zip, 0);
  Append<2>(zip, entries_);
  Append<2>(zip, entries_);
  Append<4>(zip, central_.size());
  Append<4>(zip, local_.size());
  Append<2>(zip, 0);
  return zip;
}

}  // namespace kelvin::package
