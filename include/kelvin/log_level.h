#pragma once

#include <string_view>

namespace kelvin {

enum class LogLevel { kTrace, kDebug, kInfo, kWarn, kError, kFatal };

// "TRACE", "DEBUG", ... as Lambda spells them.
std::string_view LogLevelName(LogLevel level);

}  // namespace kelvin
