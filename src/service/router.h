#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "service/function_config.h"

namespace kelvin::service {

enum class Operation {
  kCreateFunction,
  kListFunctions,
  kGetFunction,
  kDeleteFunction,
  kGetFunctionConfiguration,
  kUpdateFunctionConfiguration,
  kUpdateFunctionCode,
  kInvoke,
};

// What a request asks for.
struct Route {
  Operation operation;
  std::string function;  // as the caller named it, decoded; empty where there is none
  StringMap query;       // decoded; of a name given twice, the first
};

// Nothing for what is no call of the API.
std::optional<Route> FindRoute(std::string_view method, std::string_view target);

}  // namespace kelvin::service
