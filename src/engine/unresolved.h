#pragma once

#include <expected>
#include <functional>
#include <string_view>

#include <llvm/IR/Module.h>

#include "base/error.h"

namespace kelvin::engine {

// Fails with kNotFound when the module refers to something that neither it nor `known` has; the
// message names all of it, as the module `name`'s.
std::expected<void, Error> CheckResolved(const llvm::Module& module, std::string_view name,
                                         const std::function<bool(std::string_view)>& known);

}  // namespace kelvin::engine
