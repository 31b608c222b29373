#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "service/string_map.h"

namespace kelvin::service {

// What a request asks for.
struct Route {
  std::string_view operation;  // AWS's name of the call: "CreateFunction"; static
  StringMap path;              // by the name of the placeholder, decoded: "FunctionName"
  std::multimap<std::string, std::string, std::less<>> query;  // decoded

  // Empty when there is none; of a name given twice, the first.
  std::string_view InPath(std::string_view name) const;
  std::string_view InQuery(std::string_view name) const;
};

// Nothing for what is no call of the Lambda API. Knows calls that this service does not answer
// too, so that they can be named.
std::optional<Route> FindRoute(std::string_view method, std::string_view target);

}  // namespace kelvin::service
