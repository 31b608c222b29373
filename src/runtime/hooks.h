#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "kelvin/context.h"
#include "kelvin/handler_error.h"

namespace kelvin::runtime {

// How the engine, which runs a function from bitcode, takes part in the runtime. A function of mode
// aot has none.
class Hooks {
 public:
  virtual ~Hooks() = default;
  // The function that holds an address outside of the program, as "name+0x1f"; empty if unknown.
  virtual std::string NameOf(std::uintptr_t address) = 0;
  // The handler is made, the first invocation is asked for next.
  virtual void Ready() = 0;
  // The handler is done with an invocation, its answer has not been posted.
  virtual void Served(const Context& context) = 0;
  // Loads a plugin: its handle.
  virtual std::expected<void*, HandlerError> LoadModule(std::string_view path) = 0;
  // The address of a function of a plugin; null when it has none of that name.
  virtual void* FindInModule(void* module, std::string_view function) = 0;
};

// One for the process, since the function's own main starts the runtime: set before main, null
// without an engine. `hooks` outlives the process.
void InstallHooks(Hooks* hooks);
Hooks* InstalledHooks();

}  // namespace kelvin::runtime
