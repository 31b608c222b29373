#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace kelvin {

// ISO 8601 in UTC with milliseconds and Z: "2026-08-22T10:15:30.123Z".
std::string FormatIso8601(Clock::WallTime time);
// As Lambda's LastModified: "2026-08-22T10:15:30.123+0000".
std::string FormatLastModified(Clock::WallTime time);
// As SigV4's X-Amz-Date: "20260822T101530Z".
std::string FormatAmzDate(Clock::WallTime time);
// Of exactly that form; nothing for anything else. Years before 1678 and after 2261, which the
// clock cannot hold, are taken for those.
std::optional<Clock::WallTime> ParseAmzDate(std::string_view text);
// As a log stream's folder: "2026/08/22".
std::string FormatDatePath(Clock::WallTime time);

}  // namespace kelvin
