#pragma once

#include <expected>
#include <vector>

#include <llvm/IR/Module.h>

#include "base/error.h"

namespace kelvin::engine {

// The functions of the module that a run which goes well will probably call, once `roots` are
// called: nearest first, as many as have no more than `instructions` in all. Blocks that end in a
// throw or an abort, and those that handle exceptions, do not count. Reads the bodies that it needs
// from the bitcode; fails with kCorrupt when that fails.
std::expected<std::vector<llvm::Function*>, Error> LikelyFunctions(
    const std::vector<llvm::Function*>& roots, std::size_t instructions);

// Leaves the module with the bodies of `functions`, each under its BodyName, and all variables: one
// module to be compiled in one go. What the others do is not known to it any more.
void KeepOnly(llvm::Module& module, const std::vector<llvm::Function*>& functions);

}  // namespace kelvin::engine
