#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "tables/failure.h"
#include "tables/json_writer.h"
#include "tables/value.h"

namespace kelvin::tables {

// {"S": "text"} and the like. Fails with kSerialization where the JSON has the wrong shape, and
// kValidation where the value breaks a rule.
Outcome<Value> ReadValue(const boost::json::value& json);
// {"name": {"S": "text"}, ...}
Outcome<Item> ReadItem(const boost::json::object& json);

// What is said of a value, or an item, that has JSON of the wrong type anywhere in it.
std::optional<std::string> WrongTypeIn(const boost::json::value& json);
std::optional<std::string> WrongTypeInItem(const boost::json::object& json);
// Also of texts that pass for one.
std::optional<bool> BooleanOf(const boost::json::value& json);

// The protocol's words for a text that is no number.
std::string NumberMessage(NumberError error, std::string_view text);

void WriteValue(JsonWriter& json, const Value& value);
void WriteItem(JsonWriter& json, const Item& item);

// The protocol's name for the kind of JSON that stands where a scalar of class `wanted` ("String",
// "Boolean", "Integer", "Long") was expected.
std::string WrongScalar(const boost::json::value& json, std::string_view wanted);

}  // namespace kelvin::tables
