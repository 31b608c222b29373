#pragma once

#include <string_view>

namespace kelvin::engine {

// Gets LLVM ready, once for the process; any thread. The engine's program keeps LLVM's static
// initialisers apart from its own (engine.ld), since they touch 15 MB of it: they run here, and a
// function that never needs a compiler never pays for them.
void StartLlvm();

// Called with what LLVM says when it cannot go on (it is out of memory, or a bug); must not return.
using FatalHandler = void (*)(std::string_view message);
void OnLlvmFatal(FatalHandler handler);

}  // namespace kelvin::engine
