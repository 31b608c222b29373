#pragma once

#include <map>
#include <string>

#include "filter.h"

namespace plugins {

// Filters that were linked into the program, by name: what takes the place of loading them in mode
// aot. A plugin that is to be linked in too registers itself with one line:
//   const bool registered = plugins::LinkedIn().emplace("shout", MakeShout).second;
using Registry = std::map<std::string, MakeFilterFunction*>;
inline Registry& LinkedIn() {
  static Registry registry;
  return registry;
}

}  // namespace plugins
