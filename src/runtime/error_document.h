#pragma once

#include <string>
#include <string_view>

#include "kelvin/handler_error.h"

namespace kelvin::runtime {

// Where a failure happened, which decides the Lambda-Runtime-Function-Error-Type that AWS sees when
// the error's own type is not of the form that Lambda takes.
enum class Origin { kHandlerError, kHandlerException, kInit };

// A failure as the Runtime API takes it.
struct ErrorDocument {
  std::string error_type;  // the header's: "Runtime." or "Function." and a capitalised word
  std::string body;        // {"errorMessage","errorType","stackTrace"}
};

ErrorDocument MakeErrorDocument(const HandlerError& error, Origin origin);

}  // namespace kelvin::runtime
