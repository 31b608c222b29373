#include "service/trace_id.h"

#include <chrono>

#include <fmt/format.h>

namespace kelvin::service {

std::string TraceId(std::string_view given, const Clock& clock, Random& random) {
  if (!given.empty()) return std::string(given);
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(clock.WallNow().time_since_epoch());
  return fmt::format("Root=1-{:08x}-{};Parent={};Sampled=0", now.count(), NewHex(random, 24),
                     NewHex(random, 16));
}

}  // namespace kelvin::service
