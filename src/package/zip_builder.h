#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kelvin::package {

// Writes zips byte by byte, so that tests can make ones that no tool would make. Entries are
// stored, not compressed, with a right CRC unless told otherwise.
class ZipBuilder {
 public:
  struct Entry {
    std::string name;
    std::string content = {};
    std::uint32_t mode = 0100644;    // file type and permissions, as Unix has them
    std::uint16_t flags = 0;         // 1: encrypted
    std::int64_t claimed_size = -1;  // in both headers; -1: the truth
    bool wrong_crc = false;
  };

  void Add(const Entry& entry);
  std::string Finish() const;

 private:
  std::string local_;
  std::string central_;
  std::uint16_t entries_ = 0;
};

}  // namespace kelvin::package
