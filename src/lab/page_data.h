#pragma once

#include <string_view>

namespace kelvin::lab {

// What an HTML report carries besides its figures: src/lab/page as it was when this was built, and
// Chart.js.
std::string_view PageStyle();
std::string_view PageScript();
std::string_view ChartScript();

}  // namespace kelvin::lab
