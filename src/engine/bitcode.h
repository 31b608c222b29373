#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>

#include "base/error.h"

namespace kelvin::engine {

// The release of LLVM that bitcode must come from: its reader takes older bitcode, but code made
// by another compiler was never tested with this engine.
inline constexpr unsigned kLlvmMajor = 19;

// What bitcode is made for, such as "x86_64-pc-linux-gnu".
std::string HostTriple();

// Reads a module whose function bodies are read when they are needed. `bytes` outlive it. Fails
// with kCorrupt on what is damaged or no bitcode, with kInvalidArgument on bitcode of another LLVM
// or another architecture; `name` is how the message calls it.
std::expected<std::unique_ptr<llvm::Module>, Error> ReadBitcode(std::string_view name,
                                                                std::string_view bytes,
                                                                llvm::LLVMContext& context);

// Whether a module defines the variable; LLVM's own lists of functions are none.
bool IsVariable(const llvm::GlobalVariable& variable);

// LLVM's error as ours.
Error FromLlvm(ErrorCode code, std::string_view doing, llvm::Error error);

}  // namespace kelvin::engine
