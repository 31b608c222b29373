#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include <llvm/IR/Module.h>

#include "base/error.h"
#include "engine/exports.h"

namespace kelvin::engine {

// Makes the bitcode of a package out of a program's or a plugin's object files (bitcode as clang
// makes it with -O2 -Xclang -disable-llvm-passes). What the engine has already (the runtime
// library, the standard library, and every inline function that the engine holds a copy of) is left
// out, the rest is inlined and simplified, but not unrolled nor vectorised: that is done for the
// CPU that it runs on. docs/engine.md says why.
//
// Every function and variable of the result has a name of its own, so that each can be compiled by
// itself. Fails, saying why, on code that the engine could not run.
struct PrepareOptions {
  std::string name = "function.bc";
  std::vector<std::string> entry_points = {"main"};  // the functions that the engine looks up
};
std::expected<std::unique_ptr<llvm::Module>, Error> PrepareBitcode(
    const std::vector<std::string>& objects, const Exports& exports, llvm::LLVMContext& context,
    const PrepareOptions& options);

}  // namespace kelvin::engine
