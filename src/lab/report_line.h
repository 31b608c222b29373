#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace kelvin::lab {

// What Lambda says of one invoke when it is over: the REPORT line of the text log format, or the
// platform.report record of the JSON one.
struct Report {
  std::string request_id;
  double duration_ms = 0;
  std::int64_t billed_ms = 0;
  int memory_mb = 0;  // the function's configured size
  int max_memory_mb = 0;
  std::optional<double> init_ms;  // only where the invoke had to start an environment
  std::string status;             // "timeout", "error"; empty when it went well
  std::string error_type;
  std::string text;  // the line as it came, without the line break
};

// Reads one line. Fails with kCorrupt, saying which field was missing or malformed. Unknown fields
// are passed over: Lambda adds some from time to time.
std::expected<Report, Error> ParseReport(std::string_view line);

// The report of `request_id` in a log tail. A function can print a line that looks like one, so the
// last one counts: Lambda writes its own after everything the function wrote. Fails with kNotFound
// where there is none, kCorrupt where it cannot be read.
std::expected<Report, Error> FindReport(std::string_view log_tail, std::string_view request_id);

}  // namespace kelvin::lab
