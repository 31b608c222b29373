#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "service/string_map.h"

namespace kelvin::service {

// What is kept on the disk is JSON. Reads an object's fields by name, and remembers the first that
// is missing or of another kind.
class FieldReader {
 public:
  explicit FieldReader(const boost::json::object& object) : object_(object) {}

  void Read(std::string_view name, std::string& into) {
    const boost::json::value* value = object_.if_contains(name);
    if (value == nullptr || !value->is_string()) return Missing(name, "text");
    into.assign(value->get_string().data(), value->get_string().size());
  }
  template <typename Integer>
    requires std::is_integral_v<Integer>
  void Read(std::string_view name, Integer& into) {
    const boost::json::value* value = object_.if_contains(name);
    boost::system::error_code error;
    if (value != nullptr) into = value->to_number<Integer>(error);
    if (value == nullptr || error) Missing(name, "a number");
  }
  void Read(std::string_view name, bool& into) {
    const boost::json::value* value = object_.if_contains(name);
    if (value == nullptr || !value->is_bool()) return Missing(name, "true or false");
    into = value->get_bool();
  }
  void Read(std::string_view name, StringMap& into) {
    const boost::json::value* value = object_.if_contains(name);
    if (value == nullptr || !value->is_object()) return Missing(name, "an object");
    for (const auto& [key, text] : value->get_object()) {
      if (!text.is_string()) return Missing(name, "an object of text");
      into.emplace(std::string(key), std::string(text.get_string()));
    }
  }
  void Read(std::string_view name, std::vector<std::string>& into) {
    ReadArray(name, [&](const boost::json::value& item) {
      if (!item.is_string()) return Missing(name, "an array of text");
      into.emplace_back(item.get_string());
    });
  }
  // Calls `read` with each item of an array.
  template <typename Each>
  void ReadArray(std::string_view name, Each&& read) {
    const boost::json::value* value = object_.if_contains(name);
    if (value == nullptr || !value->is_array()) return Missing(name, "an array");
    for (const boost::json::value& item : value->get_array()) read(item);
  }
  // Reads what files of earlier versions lack; `into` stays as it is then.
  template <typename T>
  void ReadIfThere(std::string_view name, T& into) {
    if (object_.contains(name)) Read(name, into);
  }

  bool Has(std::string_view name) const { return object_.contains(name); }
  void Missing(std::string_view name, std::string_view kind) {
    Note(fmt::format("expected {} as \"{}\"", kind, name));
  }
  void Note(std::string problem) {
    if (problem_.empty()) problem_ = std::move(problem);
  }
  // Empty when all was well.
  const std::string& problem() const { return problem_; }

 private:
  const boost::json::object& object_;
  std::string problem_;
};

inline boost::json::object MapJson(const StringMap& map) {
  boost::json::object object;
  for (const auto& [key, value] : map) object[key] = value;
  return object;
}

inline boost::json::array TextsJson(const std::vector<std::string>& texts) {
  return boost::json::array(texts.begin(), texts.end());
}

inline boost::json::value StoredValue(const std::string& text) {
  return boost::json::value(text);
}
template <typename Number>
  requires std::is_integral_v<Number>
boost::json::value StoredValue(Number number) {
  return boost::json::value(number);
}
inline boost::json::value StoredValue(const StringMap& map) {
  return MapJson(map);
}
inline boost::json::value StoredValue(const std::vector<std::string>& texts) {
  return TextsJson(texts);
}

}  // namespace kelvin::service
