#include "runtime/hooks.h"

namespace kelvin::runtime {
namespace {

constinit Hooks* installed = nullptr;

}  // namespace

void InstallHooks(Hooks* hooks) {
  installed = hooks;
}

Hooks* InstalledHooks() {
  return installed;
}

}  // namespace kelvin::runtime
