#include "engine/fatal.h"

#include <atomic>
#include <cstdlib>
#include <new>

#include <fmt/format.h>
#include <unistd.h>

#include "base/file.h"
#include "engine/llvm_start.h"
#include "kelvin/run.h"

namespace kelvin::engine {
namespace {

constexpr std::size_t kReserveBytes = std::size_t{1} << 20;

constinit std::atomic<bool> init_is_over{false};
constinit thread_local int compiling = 0;
// For the last words when there is no memory left: address space until it is given back.
constinit std::atomic<void*> reserve{nullptr};

[[noreturn]] void EndForMemory() {
  std::free(reserve.exchange(nullptr));
  EndProcess("Runtime.OutOfMemory",
             "the function ran out of memory while it was compiled: give it more memory, or build "
             "it in mode r2r or aot, which compile less or nothing when it runs");
}

void OnNoMemory() {
  if (compiling > 0) EndForMemory();
  throw std::bad_alloc();
}

void OnLlvmFailure(std::string_view message) {
  // LLVM reports a failing malloc and its own faults the same way.
  if (message.find("llocation failed") != std::string_view::npos) EndForMemory();
  EndProcess("Runtime.CannotCompile", fmt::format("LLVM failed: {}", message));
}

}  // namespace

CompilingScope::CompilingScope() {
  if (compiling++ > 0) return;
  void* expected = nullptr;
  void* const room = std::malloc(kReserveBytes);
  if (!reserve.compare_exchange_strong(expected, room)) std::free(room);
  static const bool installed = [] {
    std::set_new_handler(OnNoMemory);
    OnLlvmFatal(OnLlvmFailure);
    return true;
  }();
  (void)installed;
}

CompilingScope::~CompilingScope() {
  --compiling;
}

void InitIsOver() {
  init_is_over = true;
}

void EndProcess(std::string_view type, std::string_view message) {
  compiling = 0;
  if (init_is_over) {
    (void)WriteAll(STDERR_FILENO, fmt::format("kelvin engine: {}: {}\n", type, message));
  } else {
    RunRaw([&](const InitContext&) {
      return std::unexpected(HandlerError{std::string(type), std::string(message), {}, {}});
    });
  }
  ::_exit(1);
}

}  // namespace kelvin::engine
