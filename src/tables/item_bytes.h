#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tables/number.h"

namespace kelvin::tables {

// Types on disk, where ValueType may be reordered but these may not.
enum class Tag : std::uint8_t {
  kString = 1,
  kNumber = 2,
  kBinary = 3,
  kFalse = 4,
  kTrue = 5,
  kNull = 6,
  kList = 7,
  kMap = 8,
  kStringSet = 9,
  kNumberSet = 10,
  kBinarySet = 11,
};

// Reads the stored form piece by piece. After the first damage everything reads as empty, and
// ok() says so.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : left_(bytes) {}

  bool ok() const { return ok_; }
  bool AtEnd() const { return left_.empty(); }

  std::size_t Length() {
    std::size_t length = 0;
    for (int shift = 0; shift < 35; shift += 7) {
      if (left_.empty()) break;
      const auto byte = static_cast<std::uint8_t>(left_[0]);
      left_.remove_prefix(1);
      length |= static_cast<std::size_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return length;
    }
    Fail();
    return 0;
  }
  // A count of things that take at least one byte each.
  std::size_t Count() {
    const std::size_t count = Length();
    if (count <= left_.size()) return count;
    Fail();
    return 0;
  }
  std::string_view Bytes() {
    const std::size_t length = Length();
    if (length > left_.size()) {
      Fail();
      return {};
    }
    const std::string_view bytes = left_.substr(0, length);
    left_.remove_prefix(length);
    return bytes;
  }
  Number ReadNumber() {
    const auto number = Number::FromKey(Bytes());
    if (!number) Fail();
    return number.value_or(Number{});
  }
  Tag ReadTag() {
    if (left_.empty()) {
      Fail();
      return Tag::kNull;
    }
    const auto tag = static_cast<Tag>(left_[0]);
    left_.remove_prefix(1);
    return tag;
  }
  void Fail() {
    ok_ = false;
    left_ = {};
  }

 private:
  std::string_view left_;
  bool ok_ = true;
};

}  // namespace kelvin::tables
