#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace kelvin::engine {

// What the engine has done so far in this environment, as KELVIN_ENGINE_LOG shows it.
struct Activity {
  bool has_image = false;
  std::chrono::nanoseconds load{};  // from the start of the program to the start of its main
  std::uint32_t quick_functions = 0;
  std::chrono::nanoseconds quick{};
  std::uint32_t ahead_functions = 0;  // of these, those compiled before anybody called them
  std::chrono::nanoseconds ahead{};
  std::uint32_t optimized_functions = 0;
  std::chrono::nanoseconds optimized{};
  std::uint32_t image_hits = 0;    // functions that ran as the image has them
  std::uint32_t image_misses = 0;  // functions that ran and that the image lacks

  bool operator==(const Activity&) const = default;
};

// One line of JSON: {"mode":"jit","loadMs":1.23,"tier0Functions":...}
std::string ToJson(const Activity& activity);

}  // namespace kelvin::engine
