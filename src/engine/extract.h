#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>

#include <llvm/IR/Module.h>

#include "base/error.h"

namespace kelvin::engine {

// How a function's own module is made from the module that it stands in.
struct Extraction {
  // Functions that it calls come along, to be inlined or dropped, down to this many calls deep and
  // as long as they have no more instructions than this in all.
  unsigned inline_depth = 0;
  unsigned inline_instructions = 0;
  // Which variables are to be defined along with the function; the others are declared.
  std::function<bool(const llvm::GlobalVariable&)> define = {};
};

// What a function's code is called in its own module: the name itself means its stub, through which
// everybody calls it.
std::string BodyName(llvm::StringRef function);

// Renames a function to its BodyName within its own module: everybody, itself too, then reaches it
// by its stub, which is declared.
llvm::Function& SeparateBody(llvm::Function& function);

// A module of its own for one function of `source`, in the same context: what it refers to is
// declared. Reads the bodies that it needs from the bitcode; fails with kCorrupt when that fails.
std::expected<std::unique_ptr<llvm::Module>, Error> ExtractFunction(llvm::Function& function,
                                                                    const Extraction& how);

// A module that only defines variables: `wanted` and all that their values refer to.
std::unique_ptr<llvm::Module> ExtractVariables(llvm::Module& source,
                                               llvm::ArrayRef<llvm::GlobalVariable*> wanted,
                                               const Extraction& how);

}  // namespace kelvin::engine
