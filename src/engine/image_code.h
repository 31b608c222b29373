#pragma once

#include <expected>
#include <string>
#include <vector>

#include <llvm/ADT/SmallVector.h>
#include <llvm/IR/Module.h>

#include "base/error.h"
#include "engine/object_code.h"

namespace kelvin::engine {

// The object that function.image is linked from (image_format.h). Uses the module up. A function
// named in `left_out` has no code in the image; fails with kNotFound when there is none of a name.
std::expected<llvm::SmallVector<char, 0>, Error> MakeImageObject(
    llvm::Module& module, const Cpu& cpu, const std::vector<std::string>& left_out);

}  // namespace kelvin::engine
