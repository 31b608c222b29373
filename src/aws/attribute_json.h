#pragma once

#include <expected>
#include <string>
#include <string_view>

#include <boost/json/fwd.hpp>

#include "aws/attribute_value.h"
#include "base/error.h"

namespace kelvin::aws {

// DynamoDB's JSON of attribute values: {"S":"text"}, {"N":"1.5"}, {"B":"<base64>"}, {"BOOL":true},
// {"NULL":true}, {"SS":[...]}, {"NS":[...]}, {"BS":[...]}, {"L":[...]}, {"M":{...}}.

// Writes at the end of `out`. Texts must be UTF-8.
void AppendJson(std::string& out, const AttributeValue& value);
void AppendJson(std::string& out, const Item& item);
// A JSON string with its quotes.
void AppendJsonText(std::string& out, std::string_view text);

// Takes any JSON; fails with kCorrupt, naming the type at fault, when it is no attribute value.
std::expected<AttributeValue, Error> AttributeValueFromJson(const boost::json::value& json);
std::expected<Item, Error> ItemFromJson(const boost::json::value& json);

}  // namespace kelvin::aws
