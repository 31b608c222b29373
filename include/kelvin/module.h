#pragma once

#include <expected>
#include <string_view>

#include "kelvin/handler_error.h"

namespace kelvin {

// Code that was loaded at run time: a plugin, made by kelvin_add_plugin. It stays loaded for the
// life of the process; a Module is a name for it, cheap to copy. Thread-safe.
class Module {
 public:
  // The plugin's function of that name, which has C linkage and is one of the plugin's ENTRIES;
  // null when there is none. F is the function's type, which nobody checks:
  //   auto* make = module->Find<std::unique_ptr<Filter>()>("MakeFilter");
  template <typename F>
  F* Find(std::string_view function) const {
    return reinterpret_cast<F*>(FindAddress(function));
  }

 private:
  friend std::expected<Module, HandlerError> LoadModule(std::string_view path);
  explicit Module(void* handle) : handle_(handle) {}
  void* FindAddress(std::string_view function) const;

  void* handle_;
};

// Loads a plugin and runs its static initialisers; `path` is relative to the function's package.
// Works in modes jit and r2r: a function of mode aot has no compiler, and fails with
// Runtime.NoEngine. There, link the plugins in and register them when the program is built
// (functions/plugins shows both). Thread-safe.
std::expected<Module, HandlerError> LoadModule(std::string_view path);

}  // namespace kelvin
