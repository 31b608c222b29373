#pragma once

#include <expected>
#include <memory>
#include <string>

#include <llvm/ADT/SmallVector.h>
#include <llvm/IR/Module.h>
#include <llvm/Passes/OptimizationLevel.h>
#include <llvm/Target/TargetMachine.h>

#include "base/error.h"

namespace kelvin::engine {

// The CPU that every machine of an architecture has at least: the one of kelvin_add_function.
inline constexpr char kBaselineCpu[] = "x86-64-v2";

struct Cpu {
  std::string name;
  std::string features;  // in LLVM's form: "+avx2,-sse4a"
};
Cpu BaselineCpu();
Cpu HostCpu();

// A compiler of position-independent code with emulated thread-local variables: code made at run
// time has no part in the program's own.
std::expected<std::unique_ptr<llvm::TargetMachine>, Error> MakeTargetMachine(
    const Cpu& cpu, llvm::CodeGenOptLevel level);

// Has every function compiled for `cpu`, whatever it was compiled for so far. Functions that ask
// for features of their own (attribute target) keep them in addition.
void SetCpu(llvm::Module& module, const Cpu& cpu);

// Runs the optimisations that kelvin_bitcode left for later: loops, vectors, inlining.
void Optimize(llvm::Module& module, llvm::TargetMachine& machine, llvm::OptimizationLevel level);

// The module as an ELF object.
std::expected<llvm::SmallVector<char, 0>, Error> EmitObject(llvm::Module& module,
                                                            llvm::TargetMachine& machine);

}  // namespace kelvin::engine
