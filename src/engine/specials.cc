#include "engine/specials.h"

namespace kelvin::engine {

bool IsSpecial(std::string_view name) {
  return name == kHotFunction || name == "__dso_handle";
}

std::string ThreadLocalAccessor(std::string_view variable) {
  return "kelvin_thread_local_" + std::string(variable);
}

}  // namespace kelvin::engine
