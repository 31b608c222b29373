#pragma once

#include <source_location>
#include <string>
#include <vector>

namespace kelvin {

// A failure that the caller of the function sees: {"errorType", "errorMessage", "stackTrace"}.
//   return std::unexpected(kelvin::HandlerError{"OrderRejected", "expected a total above 0"});
struct HandlerError {
  std::string type;
  std::string message;
  // Frames, innermost first. The runtime fills it for exceptions; when it is empty, `where` is
  // shown in its place.
  std::vector<std::string> stack_trace = {};
  std::source_location where = std::source_location::current();
};

}  // namespace kelvin
