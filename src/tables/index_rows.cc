#include "tables/index_rows.h"

#include <charconv>
#include <utility>

#include "tables/item_codec.h"

namespace kelvin::tables {
namespace {

constexpr std::int64_t kFiveYears = std::int64_t{5} * 365 * 24 * 3600;

// Items from before an index was made may have values that no key can have.
const Value* FindKey(const KeyAttribute& key, KeyRole role, const Item& item) {
  const Value* value = item.Find(key.name);
  if (value == nullptr || value->type() != key.type) return nullptr;
  return CheckKeyValue(role, key.name, *value) ? value : nullptr;
}

void Copy(const Item& from, std::string_view name, Item& to) {
  if (const Value* value = from.Find(name)) to.Set(name, *value);
}

void CopyKey(const Item& from, const KeySchema& key, Item& to) {
  Copy(from, key.partition.name, to);
  if (key.sort) Copy(from, key.sort->name, to);
}

// Whole seconds of the attribute, rounded down. Nothing where it is no number of a plausible size.
std::optional<std::int64_t> ExpiryOf(const TimeToLive& time_to_live, const Item& item) {
  const Value* value = item.Find(time_to_live.attribute);
  const auto* number = value != nullptr ? value->As<Number>() : nullptr;
  if (number == nullptr) return std::nullopt;
  const std::string text = number->ToString();
  std::int64_t seconds = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (parsed.ec != std::errc{} || seconds <= 0) return std::nullopt;
  return seconds;
}

constexpr std::size_t kLengthBytes = 4;

}  // namespace

std::optional<IndexRow> RowOf(const IndexDefinition& index, const KeySchema& table_key,
                              const Key& place, const Item& item) {
  const Value* partition = FindKey(index.key.partition, KeyRole::kPartition, item);
  if (partition == nullptr) return std::nullopt;
  std::optional<Value> sort;
  if (index.key.sort) {
    const Value* value = FindKey(*index.key.sort, KeyRole::kSort, item);
    if (value == nullptr) return std::nullopt;
    sort = *value;
  }
  IndexRow row;
  row.place = {EncodePartition(*partition), EncodeIndexSort(sort, place)};
  if (index.projection == ProjectionType::kAll) {
    row.item = EncodeItem(item);
    row.bytes = SizeOf(item);
    return row;
  }
  Item projected;
  CopyKey(item, table_key, projected);
  CopyKey(item, index.key, projected);
  for (const std::string& name : index.attributes) Copy(item, name, projected);
  row.item = EncodeItem(projected);
  row.bytes = SizeOf(projected);
  return row;
}

std::string ExpiryPartition(std::int64_t seconds) {
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) {
    bytes += static_cast<char>(static_cast<std::uint64_t>(seconds) >> shift & 0xff);
  }
  return bytes;
}

std::optional<Key> ExpiryPlaceOf(const TimeToLive& time_to_live, const Key& place,
                                 const Item& item) {
  const auto seconds = ExpiryOf(time_to_live, item);
  if (!seconds) return std::nullopt;
  std::string sort;
  for (int shift = 24; shift >= 0; shift -= 8) {
    sort += static_cast<char>(place.partition.size() >> shift & 0xff);
  }
  return Key{ExpiryPartition(*seconds), sort + place.partition + place.sort};
}

std::optional<Key> ItemPlaceOf(std::string_view expiry_sort) {
  if (expiry_sort.size() < kLengthBytes) return std::nullopt;
  std::size_t length = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    length = length << 8 | static_cast<unsigned char>(expiry_sort[i]);
  }
  expiry_sort.remove_prefix(kLengthBytes);
  if (length > expiry_sort.size()) return std::nullopt;
  return Key{std::string(expiry_sort.substr(0, length)), std::string(expiry_sort.substr(length))};
}

bool IsExpired(const TimeToLive& time_to_live, const Item& item, std::int64_t now_seconds) {
  const auto seconds = ExpiryOf(time_to_live, item);
  return seconds && *seconds <= now_seconds && *seconds > now_seconds - kFiveYears;
}

}  // namespace kelvin::tables
