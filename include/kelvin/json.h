#pragma once

#include <concepts>
#include <cstdint>
#include <expected>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <boost/describe/enum_from_string.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/describe/members.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>
#include <boost/mp11/algorithm.hpp>

#include "kelvin/handler_error.h"
#include "kelvin/uuid.h"

// JSON to C++ values, with errors that say where, what was expected and what came:
//   $.items[3].quantity: expected an integer from 0 to 255, got the string "many"
// Reads bool, numbers, strings, kelvin::Uuid, std::optional, sequences, maps with string keys,
// enums and structs that Boost.Describe describes, Boost.JSON's own values, and whatever
// boost::json::value_to can make. A described member that is no std::optional must be there;
// members that the struct does not have are passed over.
namespace kelvin::json {

// Where a value stands in its document. Lives on the reader's stack: it costs nothing until an
// error is made.
struct Path {
  const Path* parent = nullptr;
  std::string_view key = {};
  std::size_t index = 0;  // when `key` is null
};

// Collects the first mismatch.
class Mismatch {
 public:
  // Notes it and returns false. A null `came` says that nothing came.
  bool Note(const Path& path, std::string_view expected, const boost::json::value* came);
  // The same for "an integer from `low` to `high`".
  bool NoteInteger(const Path& path, std::int64_t low, std::uint64_t high,
                   const boost::json::value& came);
  // Valid once noted.
  HandlerError& error() { return error_; }

 private:
  HandlerError error_;
};

// The integer, if the value is one, whole and within the bounds.
std::optional<std::int64_t> SignedWithin(const boost::json::value& json, std::int64_t low,
                                         std::int64_t high);
std::optional<std::uint64_t> UnsignedWithin(const boost::json::value& json, std::uint64_t high);
// Whether the value is a UUID; it is then in `out`.
bool ReadUuid(const boost::json::value& json, Uuid& out);

// Parses a whole document. The error is of type Runtime.UnmarshalError and says where it stopped.
std::expected<boost::json::value, HandlerError> Parse(std::string_view text,
                                                      boost::json::storage_ptr storage);
// One line of JSON.
std::string Serialize(const boost::json::value& json);

template <typename T>
bool Read(const boost::json::value& json, T& out, const Path& path, Mismatch& mismatch);

namespace detail {

template <typename T>
inline constexpr bool kIsOptional = false;
template <typename T>
inline constexpr bool kIsOptional<std::optional<T>> = true;

template <typename T>
concept JsonItself = std::same_as<T, boost::json::value> || std::same_as<T, boost::json::object> ||
                     std::same_as<T, boost::json::array>;

template <typename T>
concept Map = !JsonItself<T> && requires(T map, typename T::mapped_type value) {
  requires std::constructible_from<typename T::key_type, std::string_view>;
  map.clear();
  map.insert_or_assign(typename T::key_type(std::string_view{}), std::move(value));
};

template <typename T>
concept Sequence = !JsonItself<T> && !std::same_as<T, std::string> && requires(T sequence) {
  sequence.clear();
  sequence.emplace_back();
  sequence.back();
};

template <typename T>
concept DescribedEnum = boost::describe::has_describe_enumerators<T>::value;

template <typename T>
concept DescribedStruct = boost::describe::has_describe_members<T>::value && !std::is_union_v<T>;

template <std::integral T>
bool ReadInteger(const boost::json::value& json, T& out, const Path& path, Mismatch& mismatch) {
  constexpr T kLow = std::numeric_limits<T>::min();
  constexpr T kHigh = std::numeric_limits<T>::max();
  if constexpr (std::is_signed_v<T>) {
    if (const auto number = SignedWithin(json, kLow, kHigh)) {
      out = static_cast<T>(*number);
      return true;
    }
  } else if (const auto number = UnsignedWithin(json, kHigh)) {
    out = static_cast<T>(*number);
    return true;
  }
  return mismatch.NoteInteger(path, static_cast<std::int64_t>(kLow),
                              static_cast<std::uint64_t>(kHigh), json);
}

template <Map T>
bool ReadMap(const boost::json::value& json, T& out, const Path& path, Mismatch& mismatch) {
  const boost::json::object* object = json.if_object();
  if (object == nullptr) return mismatch.Note(path, "an object", &json);
  out.clear();
  for (const auto& member : *object) {
    const std::string_view key(member.key().data(), member.key().size());
    typename T::mapped_type value{};
    if (!Read(member.value(), value, Path{&path, key}, mismatch)) return false;
    out.insert_or_assign(typename T::key_type(key), std::move(value));
  }
  return true;
}

template <Sequence T>
bool ReadSequence(const boost::json::value& json, T& out, const Path& path, Mismatch& mismatch) {
  const boost::json::array* array = json.if_array();
  if (array == nullptr) return mismatch.Note(path, "an array", &json);
  out.clear();
  if constexpr (requires { out.reserve(array->size()); }) out.reserve(array->size());
  for (std::size_t i = 0; i < array->size(); ++i) {
    typename T::value_type value{};
    if (!Read((*array)[i], value, Path{&path, {}, i}, mismatch)) return false;
    out.push_back(std::move(value));
  }
  return true;
}

template <DescribedStruct T>
bool ReadStruct(const boost::json::value& json, T& out, const Path& path, Mismatch& mismatch) {
  using boost::describe::mod_inherited;
  using boost::describe::mod_public;
  const boost::json::object* object = json.if_object();
  if (object == nullptr) return mismatch.Note(path, "an object", &json);
  bool all_read = true;
  boost::mp11::mp_for_each<boost::describe::describe_members<T, mod_public | mod_inherited>>(
      [&](auto member) {
        if (!all_read) return;
        auto& field = out.*member.pointer;
        using Field = std::remove_reference_t<decltype(field)>;
        const Path below{&path, member.name};
        if (const boost::json::value* value = object->if_contains(member.name)) {
          all_read = Read(*value, field, below, mismatch);
        } else if constexpr (!kIsOptional<Field>) {
          all_read = mismatch.Note(below, "a value", nullptr);
        }
      });
  return all_read;
}

template <DescribedEnum T>
bool ReadEnum(const boost::json::value& json, T& out, const Path& path, Mismatch& mismatch) {
  const boost::json::string* name = json.if_string();
  if (name != nullptr && boost::describe::enum_from_string(name->c_str(), out)) return true;
  std::string expected = "one of";
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>(
      [&](auto enumerator) { expected.append(" \"").append(enumerator.name).append("\""); });
  return mismatch.Note(path, expected, &json);
}

}  // namespace detail

// Reads `json` into `out`. False, with the reason in `mismatch`, when it does not fit; `out` is
// then partly read.
template <typename T>
bool Read(const boost::json::value& json, T& out, const Path& path, Mismatch& mismatch) {
  if constexpr (std::same_as<T, boost::json::value>) {
    out = json;
    return true;
  } else if constexpr (std::same_as<T, boost::json::object>) {
    if (!json.is_object()) return mismatch.Note(path, "an object", &json);
    out = json.get_object();
    return true;
  } else if constexpr (std::same_as<T, boost::json::array>) {
    if (!json.is_array()) return mismatch.Note(path, "an array", &json);
    out = json.get_array();
    return true;
  } else if constexpr (std::same_as<T, bool>) {
    if (!json.is_bool()) return mismatch.Note(path, "true or false", &json);
    out = json.get_bool();
    return true;
  } else if constexpr (std::integral<T>) {
    return detail::ReadInteger(json, out, path, mismatch);
  } else if constexpr (std::floating_point<T>) {
    if (!json.is_number()) return mismatch.Note(path, "a number", &json);
    out = json.to_number<T>();
    return true;
  } else if constexpr (std::same_as<T, std::string>) {
    if (!json.is_string()) return mismatch.Note(path, "a string", &json);
    out.assign(json.get_string().data(), json.get_string().size());
    return true;
  } else if constexpr (std::same_as<T, Uuid>) {
    return ReadUuid(json, out) || mismatch.Note(path, "a UUID", &json);
  } else if constexpr (detail::kIsOptional<T>) {
    if (json.is_null()) {
      out.reset();
      return true;
    }
    return Read(json, out.emplace(), path, mismatch);
  } else if constexpr (detail::Map<T>) {
    return detail::ReadMap(json, out, path, mismatch);
  } else if constexpr (detail::Sequence<T>) {
    return detail::ReadSequence(json, out, path, mismatch);
  } else if constexpr (detail::DescribedEnum<T>) {
    return detail::ReadEnum(json, out, path, mismatch);
  } else if constexpr (boost::json::has_value_to<T>::value && !detail::DescribedStruct<T>) {
    auto converted = boost::json::try_value_to<T>(json);
    if (!converted) return mismatch.Note(path, converted.error().message(), &json);
    out = std::move(*converted);
    return true;
  } else {
    static_assert(detail::DescribedStruct<T>,
                  "Kelvin cannot read this type from JSON: describe it with BOOST_DESCRIBE_STRUCT "
                  "or give it a tag_invoke for boost::json::value_to");
    return detail::ReadStruct(json, out, path, mismatch);
  }
}

}  // namespace kelvin::json
