#include "base/log.h"

#include <unistd.h>

#include "base/file.h"
#include "base/time_format.h"

namespace kelvin {

std::string_view LogLevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace:
      return "TRACE";
    case LogLevel::kDebug:
      return "DEBUG";
    case LogLevel::kInfo:
      return "INFO";
    case LogLevel::kWarn:
      return "WARN";
    case LogLevel::kError:
      return "ERROR";
    case LogLevel::kFatal:
      return "FATAL";
  }
  return "INFO";
}

Log::Log(const Clock& clock, LogLevel threshold, Sink sink)
    : clock_(clock), threshold_(threshold), sink_(std::move(sink)) {}

void Log::WriteLine(LogLevel level, std::string_view part, std::string_view message) {
  const std::string line = fmt::format("{} {} {}: {}\n", FormatIso8601(clock_.WallNow()),
                                       LogLevelName(level), part, message);
  const std::lock_guard lock(mutex_);
  sink_(line);
}

Log::Sink StderrSink() {
  return [](std::string_view line) { (void)WriteAll(STDERR_FILENO, line); };
}

}  // namespace kelvin
