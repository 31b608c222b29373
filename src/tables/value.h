#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tables/number.h"

namespace kelvin::tables {

class Value;
struct Attribute;

// In the order of Value::Variant's alternatives.
enum class ValueType : std::uint8_t {
  kString,
  kNumber,
  kBinary,
  kBoolean,
  kNull,
  kList,
  kMap,
  kStringSet,
  kNumberSet,
  kBinarySet,
};

// The name on the wire: "S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS".
std::string_view TypeCode(ValueType type);
std::optional<ValueType> TypeOfCode(std::string_view code);
bool IsSet(ValueType type);

struct Binary {
  std::string bytes;
  auto operator<=>(const Binary&) const = default;
};

struct Null {
  bool operator==(const Null&) const = default;
};

// Members in ascending order, each once. One type of set for each type of member.
template <typename T>
struct SetOf {
  std::vector<T> members;
  bool operator==(const SetOf&) const = default;
};
using StringSet = SetOf<std::string>;
using NumberSet = SetOf<Number>;
using BinarySet = SetOf<Binary>;

// Named values, ordered by name. An item is one of these, and so is a value of type M.
class AttributeMap {
 public:
  AttributeMap();
  AttributeMap(std::initializer_list<Attribute> attributes);
  AttributeMap(const AttributeMap&);
  AttributeMap(AttributeMap&&) noexcept;
  AttributeMap& operator=(const AttributeMap&);
  AttributeMap& operator=(AttributeMap&&) noexcept;
  ~AttributeMap();

  // For many attributes at once: Append in any order, each name once, then Sort.
  void Reserve(std::size_t count);
  void Append(std::string name, Value value);
  void Sort();

  const Value* Find(std::string_view name) const;
  Value* Find(std::string_view name);
  // Adds or replaces.
  Value& Set(std::string_view name, Value value);
  void Erase(std::string_view name);

  std::size_t size() const;
  bool empty() const { return size() == 0; }
  std::vector<Attribute>::const_iterator begin() const;
  std::vector<Attribute>::const_iterator end() const;
  bool operator==(const AttributeMap& other) const;

 private:
  std::vector<Attribute> attributes_;
};
using Item = AttributeMap;

// One attribute value: any of the protocol's ten types.
class Value {
 public:
  using List = std::vector<Value>;
  using Variant = std::variant<std::string, Number, Binary, bool, Null, List, AttributeMap,
                               StringSet, NumberSet, BinarySet>;

  template <typename T>
    requires(!std::is_same_v<std::remove_cvref_t<T>, Value>)
  explicit Value(T&& value) : variant_(std::forward<T>(value)) {}

  ValueType type() const { return static_cast<ValueType>(variant_.index()); }
  const Variant& variant() const { return variant_; }

  // The alternative, or null where the value is of another type.
  template <typename T>
  const T* As() const {
    return std::get_if<T>(&variant_);
  }
  template <typename T>
  T* As() {
    return std::get_if<T>(&variant_);
  }

  bool operator==(const Value& other) const = default;

 private:
  Variant variant_;
};

struct Attribute {
  std::string name;
  Value value;
  bool operator==(const Attribute&) const = default;
};

// The order of two strings (by bytes), numbers or binaries; none for other types or a mixture.
std::optional<std::strong_ordering> Compare(const Value& a, const Value& b);

// Bytes as the protocol counts them: names, values, and its overhead for lists and maps.
std::size_t SizeOf(const Value& value);
std::size_t SizeOf(const Item& item);

// What a list or a map costs by itself, and each of its elements on top.
inline constexpr std::size_t kContainerBytes = 3;
inline constexpr std::size_t kElementBytes = 1;

// How many lists and maps are within each other.
int NestingOf(const Value& value);
int NestingOf(const Item& item);

// Lists and maps within each other, at most.
inline constexpr int kMaxNesting = 32;
inline constexpr std::size_t kMaxItemBytes = 400 * 1024;
inline constexpr std::size_t kMaxNameBytes = 65535;  // of an attribute that is no key

}  // namespace kelvin::tables
