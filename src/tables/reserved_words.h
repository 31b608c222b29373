#pragma once

#include <string_view>

namespace kelvin::tables {

// Whether expressions must not use the word as a name, in whatever case.
bool IsReservedWord(std::string_view word);

}  // namespace kelvin::tables
