#pragma once

#include <string>
#include <vector>

#include "lab/cost.h"
#include "lab/format.h"
#include "lab/record.h"
#include "lab/table.h"

namespace kelvin::lab {

// The reports: each is made from a record alone, and names what could mislead (failures, rejected
// samples, outliers, functions given up).

// A table with bars, for a terminal of the style's width.
std::string TerminalReport(const Record& record, const PriceTable& prices, const Style& style);

// The same as GitHub-flavoured Markdown, with the machine and how to repeat the run.
std::string MarkdownReport(const Record& record, const PriceTable& prices);

// One row a function, one column a figure, as RFC 4180 has it: plain numbers, units in the titles.
std::string CsvReport(const Record& record, const PriceTable& prices);
// One row a sample.
std::string CsvSamples(const Record& record);

// One page that needs no network: the tables, sortable, and charts drawn by Chart.js, which it
// carries.
std::string HtmlReport(const Record& record, const PriceTable& prices);

// The bars as a picture that is readable on light and dark.
std::string SvgReport(const Record& record, const PriceTable& prices);

}  // namespace kelvin::lab
