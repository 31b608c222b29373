#pragma once

#include <chrono>
#include <string_view>
#include <vector>

namespace kelvin::bench {

using Microseconds = double;

[[noreturn]] void Die(std::string_view message);

Microseconds Since(std::chrono::steady_clock::time_point start);
Microseconds Median(std::vector<Microseconds> samples);

}  // namespace kelvin::bench
