#include "lab/format.h"

#include <fmt/format.h>

namespace kelvin::lab {

std::string FormatMs(double ms) {
  if (ms < 10) return fmt::format("{:.2f} ms", ms);
  if (ms < 100) return fmt::format("{:.1f} ms", ms);
  return fmt::format("{:.0f} ms", ms);
}

std::string FormatUsd(double amount) {
  return fmt::format("${:.2f}", amount);
}

std::string FormatRatio(double ratio) {
  return ratio < 2 ? fmt::format("{:.2f}x", ratio) : fmt::format("{:.1f}x", ratio);
}

std::string FormatBytes(std::uint64_t bytes) {
  constexpr double kKilo = 1024;
  const auto amount = static_cast<double>(bytes);
  if (amount < kKilo) return fmt::format("{} B", bytes);
  if (amount < kKilo * kKilo) return fmt::format("{:.0f} KB", amount / kKilo);
  return fmt::format("{:.2f} MB", amount / kKilo / kKilo);
}

}  // namespace kelvin::lab
