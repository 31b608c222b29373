#pragma once

#include <string>

#include <boost/json.hpp>

namespace kelvin::deploy {

// A JSON value as YAML in block style. Strings that YAML could take for anything else are quoted.
std::string Yaml(const boost::json::value& value);
// Indented JSON, with keys in their order.
std::string PrettyJson(const boost::json::value& value);

}  // namespace kelvin::deploy
