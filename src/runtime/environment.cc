#include "kelvin/environment.h"

namespace kelvin {

std::optional<std::string_view> Environment::Get(std::string_view name) const {
  if (block_ == nullptr || name.empty()) return std::nullopt;
  for (const char* const* entry = block_; *entry != nullptr; ++entry) {
    const std::string_view variable(*entry);
    if (variable.size() > name.size() && variable[name.size()] == '=' &&
        variable.starts_with(name)) {
      return variable.substr(name.size() + 1);
    }
  }
  return std::nullopt;
}

}  // namespace kelvin
