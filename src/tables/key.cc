#include "tables/key.h"

#include <array>
#include <memory>

#include <fmt/format.h>
#include <openssl/evp.h>

namespace kelvin::tables {
namespace {

constexpr std::size_t kMaxPartitionBytes = 2048;
constexpr std::size_t kMaxSortBytes = 1024;
constexpr std::size_t kHashBytes = 4;

// The bytes that place a partition. DynamoDB's own parallel scans are known to cut the MD5 of the
// key behind this word, so that a segment holds the same items here as there.
constexpr std::string_view kHashSalt = "Outliers";

// Looking the algorithm up costs several times what it does.
class Md5 {
 public:
  Md5() : algorithm_(EVP_MD_fetch(nullptr, "MD5", nullptr)), context_(EVP_MD_CTX_new()) {}

  using Digest = std::array<unsigned char, EVP_MAX_MD_SIZE>;
  Digest Of(std::string_view first, std::string_view second) {
    Digest digest{};
    EVP_DigestInit_ex2(context_.get(), algorithm_.get(), nullptr);
    EVP_DigestUpdate(context_.get(), first.data(), first.size());
    EVP_DigestUpdate(context_.get(), second.data(), second.size());
    EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr);
    return digest;
  }

 private:
  struct Free {
    void operator()(EVP_MD* algorithm) const { EVP_MD_free(algorithm); }
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD, Free> algorithm_;
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

std::string HashedKey(std::string_view key) {
  thread_local Md5 md5;
  const Md5::Digest digest = md5.Of(kHashSalt, key);
  std::string hashed;
  hashed.reserve(kHashBytes + key.size());
  hashed.append(reinterpret_cast<const char*>(digest.data()), kHashBytes);
  return hashed.append(key);
}

std::string KeyBytes(const Value& value) {
  if (const auto* text = value.As<std::string>()) return *text;
  if (const auto* binary = value.As<Binary>()) return binary->bytes;
  std::string bytes;
  value.As<Number>()->AppendKeyTo(bytes);
  return bytes;
}

Outcome<void> CheckItemKey(const KeyAttribute& key, KeyRole role, const Item& item) {
  const Value* value = item.Find(key.name);
  if (value == nullptr) {
    return InvalidParameter(fmt::format("Missing the key {} in the item", key.name));
  }
  if (value->type() != key.type) {
    return InvalidParameter(fmt::format("Type mismatch for key {} expected: {} actual: {}",
                                        key.name, TypeCode(key.type), TypeCode(value->type())));
  }
  return CheckKeyValue(role, key.name, *value);
}

Outcome<void> CheckRequestKey(const KeyAttribute& key, KeyRole role, const Item& item) {
  const Value* value = item.Find(key.name);
  if (value == nullptr || value->type() != key.type) {
    return Invalid("The provided key element does not match the schema");
  }
  return CheckKeyValue(role, key.name, *value);
}

using Check = Outcome<void> (*)(const KeyAttribute&, KeyRole, const Item&);

Outcome<Key> Extract(const KeySchema& schema, const Item& item, Check check) {
  if (auto ok = check(schema.partition, KeyRole::kPartition, item); !ok) {
    return std::unexpected(std::move(ok.error()));
  }
  if (schema.sort) {
    if (auto ok = check(*schema.sort, KeyRole::kSort, item); !ok) {
      return std::unexpected(std::move(ok.error()));
    }
  }
  return Key{EncodePartition(*item.Find(schema.partition.name)),
             schema.sort ? EncodeSort(*item.Find(schema.sort->name)) : std::string{}};
}

}  // namespace

Outcome<void> CheckKeyValue(KeyRole role, std::string_view name, const Value& value) {
  const std::size_t size = SizeOf(value);
  if (size == 0) {
    return InvalidRequest(
        fmt::format("One or more parameter values are not valid. The AttributeValue for a key "
                    "attribute cannot contain an empty {} value. Key: {}",
                    value.type() == ValueType::kString ? "string" : "binary", name));
  }
  if (role == KeyRole::kPartition && size > kMaxPartitionBytes) {
    return InvalidParameter("Size of hashkey has exceeded the maximum size limit of2048 bytes");
  }
  if (role == KeyRole::kSort && size > kMaxSortBytes) {
    return InvalidParameter(
        "Aggregated size of all range keys has exceeded the size limit of 1024 bytes");
  }
  return {};
}

Outcome<Key> KeyOfItem(const KeySchema& schema, const Item& item) {
  return Extract(schema, item, CheckItemKey);
}

Outcome<Key> KeyOfRequest(const KeySchema& schema, const Item& key) {
  const std::size_t expected = schema.sort ? 2 : 1;
  if (key.size() != expected) {
    return Invalid("The provided key element does not match the schema");
  }
  return Extract(schema, key, CheckRequestKey);
}

std::string EncodePartition(const Value& value) {
  return HashedKey(KeyBytes(value));
}

std::string EncodeSort(const Value& value) {
  return KeyBytes(value);
}

// A zero byte within a sort key becomes two bytes, so that zero and one can mark its end and sort
// before whatever goes on.
std::string IndexSortPrefix(std::string_view bytes) {
  std::string escaped;
  escaped.reserve(bytes.size() + 2);
  for (const char c : bytes) {
    escaped += c;
    if (c == '\0') escaped += '\xff';
  }
  return escaped;
}

std::string IndexSortBegin(std::string_view bytes) {
  std::string place = IndexSortPrefix(bytes);
  place += '\0';
  place += '\1';
  return place;
}

std::string IndexSortAfter(std::string_view bytes) {
  std::string place = IndexSortPrefix(bytes);
  place += '\0';
  place += '\2';
  return place;
}

std::string EncodeIndexSort(const std::optional<Value>& sort, const Key& item_place) {
  std::string place;
  if (sort) place = IndexSortBegin(EncodeSort(*sort));
  place += IndexSortBegin(item_place.partition);
  return place += item_place.sort;
}

std::optional<std::string> AfterPrefix(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (prefix.empty()) return std::nullopt;
  prefix.back() = static_cast<char>(prefix.back() + 1);
  return prefix;
}

std::string After(std::string bytes) {
  bytes += '\0';
  return bytes;
}

Item KeyAttributesOf(const KeySchema& schema, const Item& item) {
  Item key;
  if (const Value* value = item.Find(schema.partition.name)) key.Set(schema.partition.name, *value);
  if (!schema.sort) return key;
  if (const Value* value = item.Find(schema.sort->name)) key.Set(schema.sort->name, *value);
  return key;
}

std::string SegmentStart(std::int64_t segment, std::int64_t total) {
  const auto hash =
      ((static_cast<std::uint64_t>(segment) << 32) + static_cast<std::uint64_t>(total) - 1) /
      static_cast<std::uint64_t>(total);
  std::string start;
  for (int shift = 24; shift >= 0; shift -= 8) start += static_cast<char>(hash >> shift & 0xff);
  return start;
}

}  // namespace kelvin::tables
