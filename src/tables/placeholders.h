#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "tables/failure.h"
#include "tables/value.h"

namespace kelvin::tables {

// ExpressionAttributeNames and ExpressionAttributeValues of one request, which all of its
// expressions share. Parsed expressions point into it.
class Placeholders {
 public:
  // Either may be null: not in the request.
  static Outcome<Placeholders> Read(const boost::json::value* names,
                                    const boost::json::value* values);
  Placeholders() = default;

  // What "#name" or ":value" stands for, or null. It counts as used from now on.
  const std::string* FindName(std::string_view token);
  const Value* FindValue(std::string_view token);

  // Fails where something was given that no expression used.
  Outcome<void> CheckAllUsed() const;

  bool has_names() const { return has_names_; }
  bool has_values() const { return has_values_; }

 private:
  template <typename T>
  struct Entry {
    std::string token;
    T meaning;
    bool used = false;
  };
  Outcome<void> ReadNames(const boost::json::value& json);
  Outcome<void> ReadValues(const boost::json::value& json);

  std::vector<Entry<std::string>> names_;
  std::vector<Entry<Value>> values_;
  bool has_names_ = false;
  bool has_values_ = false;
};

}  // namespace kelvin::tables
