#include "base/time_format.h"

#include <fmt/format.h>

#include <ctime>

namespace kelvin {
namespace {

struct Utc {
  std::tm tm;
  int milliseconds;
};

Utc ToUtc(Clock::WallTime time) {
  const auto since_epoch = std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  const std::time_t epoch = seconds.count();
  Utc utc{};
  ::gmtime_r(&epoch, &utc.tm);
  utc.milliseconds = static_cast<int>((since_epoch - seconds).count());
  return utc;
}

std::string FormatMilliseconds(Clock::WallTime time, std::string_view zone) {
  const Utc utc = ToUtc(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}{}", utc.tm.tm_year + 1900,
                     utc.tm.tm_mon + 1, utc.tm.tm_mday, utc.tm.tm_hour, utc.tm.tm_min,
                     utc.tm.tm_sec, utc.milliseconds, zone);
}

}  // namespace

std::string FormatIso8601(Clock::WallTime time) { return FormatMilliseconds(time, "Z"); }

std::string FormatLastModified(Clock::WallTime time) { return FormatMilliseconds(time, "+0000"); }

std::string FormatAmzDate(Clock::WallTime time) {
  const Utc utc = ToUtc(time);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", utc.tm.tm_year + 1900, utc.tm.tm_mon + 1,
                     utc.tm.tm_mday, utc.tm.tm_hour, utc.tm.tm_min, utc.tm.tm_sec);
}

std::string FormatDatePath(Clock::WallTime time) {
  const Utc utc = ToUtc(time);
  return fmt::format("{:04}/{:02}/{:02}", utc.tm.tm_year + 1900, utc.tm.tm_mon + 1,
                     utc.tm.tm_mday);
}

}  // namespace kelvin
