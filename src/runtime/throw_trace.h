#pragma once

#include <string>
#include <vector>

namespace kelvin::runtime {

// Where `exception` (the exception object itself) was thrown, if this thread's last throw was of
// that object; empty otherwise. Frames read "bootstrap+0x1f2e", innermost first: offsets that
// `addr2line -Cfe bootstrap` resolves in the build that is not stripped; code that the engine
// compiled is shown by its functions' names.
//
// Works by the linker's --wrap=__cxa_throw, which kelvin::runtime passes on to whoever links it:
// at the catch the stack is already gone.
std::vector<std::string> FramesOfThrow(const void* exception);

}  // namespace kelvin::runtime
