#include "engine/crash.h"

#include <csignal>
#include <cstring>
#include <string>

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>
#include <unwind.h>

#include "base/file.h"
#include "engine/frame_name.h"

namespace kelvin::engine {
namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
constexpr std::size_t kStackBytes = 64 * 1024;
constexpr int kMaxFrames = 48;

// A signal handler gets no argument of ours.
constinit Engine* engine_of_process = nullptr;
constinit const Exports* exports_of_process = nullptr;

struct Trace {
  std::string text;
  int frames = 0;
};

_Unwind_Reason_Code AddFrame(_Unwind_Context* context, void* into) {
  auto& trace = *static_cast<Trace*>(into);
  int before_instruction = 0;
  const std::uintptr_t address = _Unwind_GetIPInfo(context, &before_instruction);
  if (address == 0 || trace.frames == kMaxFrames) return _URC_END_OF_STACK;
  // The first frames are this file's own and the kernel's return from the signal.
  const std::uintptr_t place = before_instruction != 0 ? address : address - 1;
  std::string name = engine_of_process->NameOf(place);
  if (name.empty()) name = ReadableFrame(exports_of_process->NameOf(place));
  if (name.empty()) name = fmt::format("{:#x}", place);
  trace.text += fmt::format("    at {}\n", name);
  ++trace.frames;
  return _URC_NO_REASON;
}

// Not everything here is allowed in a signal handler. The process is lost anyway: what goes wrong
// from here on meets the default action, which was restored before.
void OnCrash(int signal, siginfo_t* info, void*) {
  Trace trace;
  trace.text = fmt::format("kelvin engine: the function crashed: {}", ::strsignal(signal));
  if (signal == SIGSEGV || signal == SIGBUS) {
    trace.text += fmt::format(" at address {:#x}", reinterpret_cast<std::uintptr_t>(info->si_addr));
  }
  trace.text += '\n';
  _Unwind_Backtrace(AddFrame, &trace);
  (void)WriteAll(STDERR_FILENO, trace.text);
  ::raise(signal);
}

}  // namespace

void ReportCrashes(Engine& engine, const Exports& exports) {
  engine_of_process = &engine;
  exports_of_process = &exports;
  // Its own stack: an endless recursion has used up the other one.
  void* const stack =
      ::mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (stack != MAP_FAILED) {
    stack_t signal_stack{};
    signal_stack.ss_sp = stack;
    signal_stack.ss_size = kStackBytes;
    ::sigaltstack(&signal_stack, nullptr);
  }
  for (const int signal : kSignals) {
    struct sigaction action{};
    action.sa_sigaction = OnCrash;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND | SA_NODEFER;
    ::sigaction(signal, &action, nullptr);
  }
}

}  // namespace kelvin::engine
