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

// Without the stack.
HandlerError Describe() {
  const std::type_info* type = abi::__cxa_current_exception_type();
  const auto with_message = [type](std::string_view message) {
    return HandlerError{
        type != nullptr ? detail::TypeName(*type) : "Unknown", std::string(message), {}, {}};
  };
  try {
    throw;
  } catch (const HandlerError& error) {
    return error;
  } catch (const std::exception& exception) {
    return with_message(exception.what());
  } catch (const std::string& text) {
    return with_message(text);
  } catch (const char* text) {
    return with_message(text);
  } catch (...) {
    return with_message("an exception that is no std::exception");
  }
}

}  // namespace

HandlerError DescribeCurrentException() {
  HandlerError error = Describe();
  if (error.stack_trace.empty()) {
    error.stack_trace = FramesOfThrow(ObjectOf(std::current_exception()));
  }
  return error;
}

}  // namespace runtime
}  // namespace kelvin
