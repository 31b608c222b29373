// Filter patterns come from clients; the events that they are tried on from functions.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "service/log_filter.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // The first line is the pattern, the rest the event.
  const std::size_t end = text.find('\n');
  const auto filter = kelvin::service::LogFilter::Parse(text.substr(0, end));
  if (!filter) return 0;
  const std::string_view event = end == text.npos ? text : text.substr(end + 1);
  if (filter->Matches(event) != filter->Matches(event)) __builtin_trap();
  return 0;
}
