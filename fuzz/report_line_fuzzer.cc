// REPORT lines come out of log tails that functions write into.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "lab/report_line.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto report = kelvin::lab::ParseReport(text);
  // What was read once is read the same from the line it keeps.
  if (report && !kelvin::lab::ParseReport(report->text)) __builtin_trap();
  const auto found = kelvin::lab::FindReport(text, "8f5a");
  if (found && found->request_id != "8f5a") __builtin_trap();
  return 0;
}
