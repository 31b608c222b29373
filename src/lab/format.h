#pragma once

#include <cstdint>
#include <string>

// Figures as people read them.
namespace kelvin::lab {

// Milliseconds with three significant digits or more and their unit: "0.42 ms", "12.3 ms",
// "1081 ms".
std::string FormatMs(double ms);
// Bytes as "387 KB", "5.56 MB" (powers of 1024).
std::string FormatBytes(std::uint64_t bytes);
// "$0.26".
std::string FormatUsd(double amount);
// "7.1x", "1.02x".
std::string FormatRatio(double ratio);

}  // namespace kelvin::lab
