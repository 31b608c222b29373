#include "engine/llvm_start.h"

#include <cstdlib>
#include <mutex>

#include <llvm/Support/ErrorHandling.h>
#include <llvm/Support/TargetSelect.h>
#include <unistd.h>

extern "C" {
using Initializer = void (*)(int, char**, char**);
// Bounds of LLVM's initialisers; null in programs that are linked without engine.ld, where the C
// library runs them.
extern const Initializer kelvin_llvm_init_start[] __attribute__((weak));
extern const Initializer kelvin_llvm_init_end[] __attribute__((weak));
}

namespace kelvin::engine {

void StartLlvm() {
  static std::once_flag once;
  std::call_once(once, [] {
    char name[] = "bootstrap";
    char* arguments[] = {name, nullptr};
    for (const Initializer* run = kelvin_llvm_init_start; run != kelvin_llvm_init_end; ++run) {
      (*run)(1, arguments, ::environ);
    }
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    llvm::InitializeNativeTargetAsmParser();
  });
}

void OnLlvmFatal(FatalHandler handler) {
  const auto adapter = [](void* user, const char* reason, bool) {
    reinterpret_cast<FatalHandler>(user)(reason);
  };
  llvm::remove_fatal_error_handler();
  llvm::install_fatal_error_handler(adapter, reinterpret_cast<void*>(handler));
  llvm::remove_bad_alloc_error_handler();
  llvm::install_bad_alloc_error_handler(adapter, reinterpret_cast<void*>(handler));
}

}  // namespace kelvin::engine
