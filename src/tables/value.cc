#include "tables/value.h"

#include <algorithm>
#include <array>
#include <utility>

namespace kelvin::tables {
namespace {

constexpr std::array<std::string_view, 10> kTypeCodes = {"S", "N", "B",  "BOOL", "NULL",
                                                         "L", "M", "SS", "NS",   "BS"};

struct Sizer {
  std::size_t operator()(const std::string& text) const { return text.size(); }
  std::size_t operator()(const Number& number) const { return number.KeySize(); }
  std::size_t operator()(const Binary& binary) const { return binary.bytes.size(); }
  std::size_t operator()(bool) const { return 1; }
  std::size_t operator()(const Null&) const { return 1; }
  std::size_t operator()(const Value::List& list) const {
    std::size_t size = kContainerBytes;
    for (const Value& value : list) size += kElementBytes + SizeOf(value);
    return size;
  }
  std::size_t operator()(const AttributeMap& map) const {
    return kContainerBytes + map.size() * kElementBytes + SizeOf(map);
  }
  template <typename T>
  std::size_t operator()(const SetOf<T>& set) const {
    std::size_t size = 0;
    for (const T& member : set.members) size += (*this)(member);
    return size;
  }
};

template <typename T>
std::optional<std::strong_ordering> CompareAs(const Value& a, const Value& b) {
  return *a.As<T>() <=> *b.As<T>();
}

}  // namespace

std::string_view TypeCode(ValueType type) {
  return kTypeCodes[static_cast<std::size_t>(type)];
}

std::optional<ValueType> TypeOfCode(std::string_view code) {
  const auto found = std::ranges::find(kTypeCodes, code);
  if (found == kTypeCodes.end()) return std::nullopt;
  return static_cast<ValueType>(found - kTypeCodes.begin());
}

bool IsSet(ValueType type) {
  return type >= ValueType::kStringSet;
}

AttributeMap::AttributeMap() = default;
AttributeMap::AttributeMap(std::initializer_list<Attribute> attributes) : attributes_(attributes) {
  Sort();
}
AttributeMap::AttributeMap(const AttributeMap&) = default;
AttributeMap::AttributeMap(AttributeMap&&) noexcept = default;
AttributeMap& AttributeMap::operator=(const AttributeMap&) = default;
AttributeMap& AttributeMap::operator=(AttributeMap&&) noexcept = default;
AttributeMap::~AttributeMap() = default;

void AttributeMap::Reserve(std::size_t count) {
  attributes_.reserve(count);
}

void AttributeMap::Append(std::string name, Value value) {
  attributes_.push_back(Attribute{std::move(name), std::move(value)});
}

void AttributeMap::Sort() {
  if (!std::ranges::is_sorted(attributes_, {}, &Attribute::name)) {
    std::ranges::sort(attributes_, {}, &Attribute::name);
  }
}

const Value* AttributeMap::Find(std::string_view name) const {
  const auto found = std::ranges::lower_bound(attributes_, name, {}, &Attribute::name);
  return found != attributes_.end() && found->name == name ? &found->value : nullptr;
}

Value* AttributeMap::Find(std::string_view name) {
  return const_cast<Value*>(std::as_const(*this).Find(name));
}

Value& AttributeMap::Set(std::string_view name, Value value) {
  const auto found = std::ranges::lower_bound(attributes_, name, {}, &Attribute::name);
  if (found != attributes_.end() && found->name == name) {
    return found->value = std::move(value);
  }
  return attributes_.insert(found, Attribute{std::string(name), std::move(value)})->value;
}

void AttributeMap::Erase(std::string_view name) {
  const auto found = std::ranges::lower_bound(attributes_, name, {}, &Attribute::name);
  if (found != attributes_.end() && found->name == name) attributes_.erase(found);
}

std::size_t AttributeMap::size() const {
  return attributes_.size();
}

std::vector<Attribute>::const_iterator AttributeMap::begin() const {
  return attributes_.begin();
}

std::vector<Attribute>::const_iterator AttributeMap::end() const {
  return attributes_.end();
}

bool AttributeMap::operator==(const AttributeMap& other) const = default;

std::optional<std::strong_ordering> Compare(const Value& a, const Value& b) {
  if (a.type() != b.type()) return std::nullopt;
  switch (a.type()) {
    case ValueType::kString:
      return CompareAs<std::string>(a, b);
    case ValueType::kNumber:
      return CompareAs<Number>(a, b);
    case ValueType::kBinary:
      return CompareAs<Binary>(a, b);
    default:
      return std::nullopt;
  }
}

int NestingOf(const Value& value) {
  if (const auto* map = value.As<AttributeMap>()) return 1 + NestingOf(*map);
  const auto* list = value.As<Value::List>();
  if (list == nullptr) return 0;
  int deepest = 0;
  for (const Value& element : *list) deepest = std::max(deepest, NestingOf(element));
  return 1 + deepest;
}

int NestingOf(const Item& item) {
  int deepest = 0;
  for (const auto& [name, value] : item) deepest = std::max(deepest, NestingOf(value));
  return deepest;
}

std::size_t SizeOf(const Value& value) {
  return std::visit(Sizer{}, value.variant());
}

std::size_t SizeOf(const Item& item) {
  std::size_t size = 0;
  for (const auto& [name, value] : item) size += name.size() + SizeOf(value);
  return size;
}

}  // namespace kelvin::tables
