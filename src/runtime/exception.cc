#include "runtime/exception.h"

#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>

#include <cxxabi.h>

#include "kelvin/handler.h"
#include "runtime/throw_trace.h"

namespace kelvin {

std::string detail::TypeName(const std::type_info& type) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> name(
      abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), &std::free);
  return name != nullptr ? name.get() : type.name();
}

namespace runtime {
namespace {

// The address of the exception object, which libstdc++'s exception_ptr consists of.
const void* ObjectOf(const std::exception_ptr& exception) {
  const void* object = nullptr;
  static_assert(sizeof exception == sizeof object);
  std::memcpy(&object, static_cast<const void*>(&exception), sizeof object);
  return object;
}

std::string MessageOfCurrentException() {
  try {
    throw;
  } catch (const std::exception& exception) {
    return exception.what();
  } catch (const std::string& text) {
    return text;
  } catch (const char* text) {
    return text;
  } catch (...) {
    return "an exception that is no std::exception";
  }
}

}  // namespace

HandlerError DescribeCurrentException() {
  const std::type_info* type = abi::__cxa_current_exception_type();
  return HandlerError{type != nullptr ? detail::TypeName(*type) : "Unknown",
                      MessageOfCurrentException(),
                      FramesOfThrow(ObjectOf(std::current_exception())),
                      {}};
}

}  // namespace runtime
}  // namespace kelvin
