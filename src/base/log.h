#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/clock.h"
#include "kelvin/log_level.h"

namespace kelvin {

// Where the tools (service, sandbox, lab) say what they do; the log of a user's function is the
// runtime's own. Lines look like "2026-08-22T10:15:30.123Z WARN sandbox: no cgroup ...".
// Thread-safe.
class Log {
 public:
  using Sink = std::function<void(std::string_view line)>;
  Log(const Clock& clock, LogLevel threshold, Sink sink);  // the clock outlives the object

  template <typename... Args>
  void Write(LogLevel level, std::string_view part, fmt::format_string<Args...> format,
             Args&&... args) {
    if (level >= threshold_)
      WriteLine(level, part, fmt::format(format, std::forward<Args>(args)...));
  }
  LogLevel threshold() const { return threshold_; }

 private:
  void WriteLine(LogLevel level, std::string_view part, std::string_view message);

  const Clock& clock_;
  LogLevel threshold_;
  Sink sink_;
  std::mutex mutex_;
};

// A sink that writes each line to standard error with one call.
Log::Sink StderrSink();

}  // namespace kelvin
