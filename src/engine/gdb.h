#pragma once

#include <string_view>

#include "engine/object_linker.h"

namespace kelvin::engine {

// Tells a debugger about compiled code by GDB's JIT interface
// (https://sourceware.org/gdb/current/onlinedocs/gdb.html/JIT-Interface.html): `bt` and `break`
// then know its functions. Keeps a copy of the object for the life of the process. Thread-safe.
void TellDebugger(std::string_view object, const LinkedObject& linked);

}  // namespace kelvin::engine
