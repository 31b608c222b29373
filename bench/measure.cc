#include "measure.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

namespace kelvin::bench {

void Die(std::string_view message) {
  fmt::print(stderr, "bench: {}\n", message);
  std::exit(1);
}

Microseconds Since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start)
      .count();
}

Microseconds Median(std::vector<Microseconds> samples) {
  const auto middle = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2);
  std::ranges::nth_element(samples, middle);
  return *middle;
}

}  // namespace kelvin::bench
