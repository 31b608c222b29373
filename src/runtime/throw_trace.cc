#include "runtime/throw_trace.h"

#include <cstddef>
#include <cstdint>
#include <typeinfo>

#include <fmt/format.h>
#include <unwind.h>

#include "runtime/hooks.h"

// Set by the linker to the start and the end of the program.
extern "C" const char __executable_start[];
extern "C" const char _end[];

namespace kelvin::runtime {
namespace {

constexpr std::size_t kMaxFrames = 32;

// The last throw of this thread: no other place knows the stack of a throw once it is caught.
struct LastThrow {
  const void* exception = nullptr;
  std::size_t count = 0;
  std::uintptr_t frames[kMaxFrames] = {};
};
thread_local constinit LastThrow last_throw;

_Unwind_Reason_Code NoteFrame(_Unwind_Context* context, void* into) {
  auto& trace = *static_cast<LastThrow*>(into);
  if (trace.count == kMaxFrames) return _URC_END_OF_STACK;
  int before_instruction = 0;
  const std::uintptr_t address = _Unwind_GetIPInfo(context, &before_instruction);
  if (address == 0) return _URC_END_OF_STACK;
  // A return address belongs to the next line; the call ends one byte before.
  trace.frames[trace.count++] = before_instruction != 0 ? address : address - 1;
  return _URC_NO_REASON;
}

[[gnu::noinline]] void NoteThrow(const void* exception) {
  last_throw.exception = exception;
  last_throw.count = 0;
  _Unwind_Backtrace(NoteFrame, &last_throw);
}

std::string FrameText(std::uintptr_t address) {
  const auto start = reinterpret_cast<std::uintptr_t>(__executable_start);
  const auto end = reinterpret_cast<std::uintptr_t>(_end);
  if (address >= start && address < end) return fmt::format("bootstrap+{:#x}", address - start);
  if (Hooks* const hooks = InstalledHooks()) {
    if (std::string name = hooks->NameOf(address); !name.empty()) return name;
  }
  return fmt::format("{:#x}", address);
}

}  // namespace

std::vector<std::string> FramesOfThrow(const void* exception) {
  std::vector<std::string> frames;
  if (exception == nullptr || last_throw.exception != exception) return frames;
  // The first two are this file's own.
  constexpr std::size_t kOwnFrames = 2;
  for (std::size_t i = kOwnFrames; i < last_throw.count; ++i) {
    frames.push_back(FrameText(last_throw.frames[i]));
  }
  return frames;
}

}  // namespace kelvin::runtime

extern "C" {

[[noreturn]] void __real___cxa_throw(void* exception, std::type_info* type,
                                     void (*destructor)(void*));

[[noreturn]] void __wrap___cxa_throw(void* exception, std::type_info* type,
                                     void (*destructor)(void*)) {
  kelvin::runtime::NoteThrow(exception);
  __real___cxa_throw(exception, type, destructor);
}
}
