#include "engine/unresolved.h"

#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <llvm/Demangle/Demangle.h>

namespace kelvin::engine {

std::expected<void, Error> CheckResolved(const llvm::Module& module, std::string_view name,
                                         const std::function<bool(std::string_view)>& known) {
  std::vector<std::string> missing;
  const auto check = [&](const llvm::GlobalValue& value) {
    const std::string_view symbol(value.getName().data(), value.getName().size());
    // A weak reference may stay unresolved.
    if (!value.isDeclaration() || symbol.starts_with("llvm.") || value.hasExternalWeakLinkage()) {
      return;
    }
    if (!known(symbol)) missing.push_back(llvm::demangle(symbol));
  };
  for (const llvm::Function& function : module) check(function);
  for (const llvm::GlobalVariable& variable : module.globals()) check(variable);
  if (missing.empty()) return {};
  return std::unexpected(Error{
      ErrorCode::kNotFound,
      fmt::format("{} refers to {}, which neither it nor the engine has: add the sources that "
                  "define it to the function's SOURCES, build it with the engine's own version, or "
                  "ship it in mode aot",
                  name, fmt::join(missing, ", "))});
}

}  // namespace kelvin::engine
