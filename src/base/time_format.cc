#include "base/time_format.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

namespace kelvin {
namespace {

// By the calendar's own rules: gmtime_r would read the time zone's files first.
struct Utc {
  std::chrono::year_month_day date;
  std::chrono::hh_mm_ss<std::chrono::milliseconds> time;

  explicit Utc(Clock::WallTime wall)
      : date(std::chrono::floor<std::chrono::days>(wall)),
        time(std::chrono::floor<std::chrono::milliseconds>(wall) -
             std::chrono::floor<std::chrono::days>(wall)) {}

  int year() const { return static_cast<int>(date.year()); }
  unsigned month() const { return static_cast<unsigned>(date.month()); }
  unsigned day() const { return static_cast<unsigned>(date.day()); }
};

std::string FormatMilliseconds(Clock::WallTime wall, std::string_view zone) {
  const Utc utc(wall);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}{}", utc.year(), utc.month(),
                     utc.day(), utc.time.hours().count(), utc.time.minutes().count(),
                     utc.time.seconds().count(), utc.time.subseconds().count(), zone);
}

}  // namespace

std::string FormatIso8601(Clock::WallTime time) {
  return FormatMilliseconds(time, "Z");
}

std::string FormatLastModified(Clock::WallTime time) {
  return FormatMilliseconds(time, "+0000");
}

std::string FormatAmzDate(Clock::WallTime time) {
  const Utc utc(time);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", utc.year(), utc.month(), utc.day(),
                     utc.time.hours().count(), utc.time.minutes().count(),
                     utc.time.seconds().count());
}

std::optional<Clock::WallTime> ParseAmzDate(std::string_view text) {
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
  const auto number = [&](std::size_t at, std::size_t length) {
    int value = 0;
    for (const char c : text.substr(at, length)) {
      if (c < '0' || c > '9') return -1;
      value = value * 10 + (c - '0');
    }
    return value;
  };
  // What the clock's nanoseconds can hold; a date beyond is as early or late as can be told.
  constexpr int kFirstYear = 1678;
  constexpr int kLastYear = 2261;
  using std::chrono::day, std::chrono::month, std::chrono::year;
  const int told = number(0, 4);
  const std::chrono::year_month_day date{year{told}, month{static_cast<unsigned>(number(4, 2))},
                                         day{static_cast<unsigned>(number(6, 2))}};
  const int hour = number(9, 2);
  const int minute = number(11, 2);
  const int second = number(13, 2);
  if (told < 0 || !date.ok() || hour < 0 || minute < 0 || second < 0) return std::nullopt;
  const year held{std::clamp(told, kFirstYear, kLastYear)};
  return Clock::WallTime(std::chrono::sys_days(held / date.month() / date.day())) +
         std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second);
}

std::string FormatDatePath(Clock::WallTime time) {
  const Utc utc(time);
  return fmt::format("{:04}/{:02}/{:02}", utc.year(), utc.month(), utc.day());
}

}  // namespace kelvin
