#pragma once

#include <string>
#include <vector>

#include "lab/cost.h"
#include "lab/record.h"
#include "lab/table.h"

namespace kelvin::lab {

// The reports: each is made from a record alone, and names what could mislead (failures, rejected
// samples, outliers, functions given up).

// A table with bars, for a terminal of the style's width.
std::string TerminalReport(const Record& record, const PriceTable& prices, const Style& style);

// The same as GitHub-flavoured Markdown, with the machine and how to repeat the run.
std::string MarkdownReport(const Record& record, const PriceTable& prices);

// Milliseconds with three significant digits or more and their unit: "0.42 ms", "12.3 ms",
// "1081 ms".
std::string FormatMs(double ms);
// Bytes as "387 KB", "5.56 MB" (powers of 1024).
std::string FormatBytes(std::uint64_t bytes);

}  // namespace kelvin::lab
