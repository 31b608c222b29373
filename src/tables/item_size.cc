#include <cstddef>
#include <optional>
#include <string_view>

#include "tables/item_bytes.h"
#include "tables/item_codec.h"

namespace kelvin::tables {
namespace {

// Adds up what SizeOf would, without a value made.
class Measure {
 public:
  explicit Measure(ByteReader& reader) : reader_(reader) {}

  std::size_t Attributes(int depth) {
    const std::size_t count = reader_.Count();
    std::size_t size = depth > 0 ? kContainerBytes + count * kElementBytes : 0;
    for (std::size_t i = 0; i < count && reader_.ok(); ++i) {
      size += reader_.Bytes().size();
      size += Stored(depth);
    }
    return size;
  }

 private:
  std::size_t Stored(int depth) {
    if (depth > kMaxNesting) reader_.Fail();
    switch (reader_.ReadTag()) {
      case Tag::kString:
      case Tag::kNumber:  // a number's size is its key's
      case Tag::kBinary:
        return reader_.Bytes().size();
      case Tag::kFalse:
      case Tag::kTrue:
      case Tag::kNull:
        return 1;
      case Tag::kList:
        return kContainerBytes + Sum([&] { return kElementBytes + Stored(depth + 1); });
      case Tag::kMap:
        return Attributes(depth + 1);
      case Tag::kStringSet:
      case Tag::kNumberSet:
      case Tag::kBinarySet:
        return Sum([&] { return reader_.Bytes().size(); });
    }
    reader_.Fail();
    return 0;
  }

  template <typename ElementSize>
  std::size_t Sum(ElementSize element_size) {
    const std::size_t count = reader_.Count();
    std::size_t size = 0;
    for (std::size_t i = 0; i < count && reader_.ok(); ++i) size += element_size();
    return size;
  }

  ByteReader& reader_;
};

class PageMeasure {
 public:
  PageMeasure(ByteReader& reader, std::string_view sort_key)
      : reader_(reader), sort_key_(sort_key) {}

  std::size_t Total() {
    constexpr std::size_t kBlockBytes = 3072;
    constexpr std::size_t kBlockOverhead = 18;
    constexpr std::size_t kItemOverhead = 2;
    const std::size_t size = Attributes(0);
    return kItemOverhead + size +
           (1 + (1 + size) / kBlockBytes) * (kBlockOverhead + sort_key_bytes_);
  }

 private:
  std::size_t Attributes(int depth) {
    const std::size_t count = reader_.Count();
    std::size_t size = 0;
    for (std::size_t i = 0; i < count && reader_.ok(); ++i) {
      const std::string_view name = reader_.Bytes();
      if (depth == 0 && !sort_key_.empty() && name == sort_key_) {
        reader_.ReadTag();
        sort_key_bytes_ = reader_.Bytes().size();
      } else {
        size += 1 + Stored(depth);
      }
    }
    return size;
  }

  std::size_t Stored(int depth) {
    if (depth > kMaxNesting) reader_.Fail();
    switch (reader_.ReadTag()) {
      case Tag::kString: {
        const std::size_t size = reader_.Bytes().size();
        const std::size_t length_bytes = size < 128 ? 1 : size < 16384 ? 2 : 3;
        return size + length_bytes;
      }
      case Tag::kNumber:
      case Tag::kBinary:
        return reader_.Bytes().size() + 1;
      case Tag::kFalse:
      case Tag::kTrue:
        return 1;
      case Tag::kNull:
        return 0;
      case Tag::kList:
        return kContainerBytes + Elements([&] { return Stored(depth + 1); });
      case Tag::kMap: {
        const std::size_t size = Attributes(depth + 1);
        return kContainerBytes + size;
      }
      case Tag::kStringSet:
      case Tag::kNumberSet:
      case Tag::kBinarySet:
        return 1 + Elements([&] { return reader_.Bytes().size(); });
    }
    reader_.Fail();
    return 0;
  }

  template <typename ElementSize>
  std::size_t Elements(ElementSize element_size) {
    const std::size_t count = reader_.Count();
    std::size_t size = 0;
    for (std::size_t i = 0; i < count && reader_.ok(); ++i) size += 1 + element_size();
    return size;
  }

  ByteReader& reader_;
  std::string_view sort_key_;
  std::size_t sort_key_bytes_ = 0;
};

}  // namespace

std::optional<std::size_t> EncodedItemSize(std::string_view bytes) {
  ByteReader reader(bytes);
  const std::size_t size = Measure(reader).Attributes(0);
  if (!reader.ok() || !reader.AtEnd()) return std::nullopt;
  return size;
}

std::optional<std::size_t> EncodedPageSize(std::string_view bytes, std::string_view sort_key) {
  ByteReader reader(bytes);
  const std::size_t size = PageMeasure(reader, sort_key).Total();
  if (!reader.ok() || !reader.AtEnd()) return std::nullopt;
  return size;
}

}  // namespace kelvin::tables
