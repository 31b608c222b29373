#pragma once

#include <string>

namespace kelvin::engine {

// A frame for people: "_ZN9transform3MixEi.body+0x1f" becomes "transform::Mix(int)+0x1f". An empty
// name stays empty.
std::string ReadableFrame(const std::string& name);

}  // namespace kelvin::engine
