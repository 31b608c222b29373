#include "kelvin/module.h"

#include <fmt/format.h>

#include "runtime/hooks.h"

namespace kelvin {

void* Module::FindAddress(std::string_view function) const {
  return runtime::InstalledHooks()->FindInModule(handle_, function);
}

std::expected<Module, HandlerError> LoadModule(std::string_view path) {
  runtime::Hooks* const hooks = runtime::InstalledHooks();
  if (hooks == nullptr) {
    return std::unexpected(HandlerError{
        "Runtime.NoEngine",
        fmt::format("cannot load {}: this function was built in mode aot, which loads no code at "
                    "run time; build it in mode jit or r2r, or link the plugin in",
                    path)});
  }
  const auto handle = hooks->LoadModule(path);
  if (!handle) return std::unexpected(handle.error());
  return Module(*handle);
}

}  // namespace kelvin
