#pragma once

#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "kelvin/log_level.h"

namespace kelvin {

class Clock;

// Where lines go; the default is standard output. Called once for every line, with its '\n'.
class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual void Write(std::string_view line) = 0;
};

enum class LogFormat {
  kText,  // 2026-08-22T10:15:30.123Z <request id> INFO message
  kJson,  // {"timestamp":...,"level":"INFO","message":...,"requestId":...}
};

// The function's log, in the format and from the level that the function's configuration asks for
// (AWS_LAMBDA_LOG_FORMAT, AWS_LAMBDA_LOG_LEVEL). Each line is one write; a message of several lines
// stays one log event. Cheap to copy; thread-safe.
//   context.log().Info("created {} in {}", id, table);
class Logger {
 public:
  struct Options {
    LogFormat format = LogFormat::kText;
    LogLevel level = LogLevel::kInfo;  // lines below it are not written
    LogSink* sink = nullptr;           // outlives the logger; null is standard output
    const Clock* clock = nullptr;      // outlives the logger; null is the system's
  };

  Logger() = default;
  explicit Logger(const Options& options) : options_(options) {}

  // The same log, for one request. `request_id` outlives the result.
  Logger ForRequest(std::string_view request_id) const;

  bool enabled(LogLevel level) const { return level >= options_.level; }

  template <typename... Args>
  void Write(LogLevel level, fmt::format_string<Args...> format, Args&&... args) const {
    if (enabled(level)) WriteFormatted(level, format, fmt::make_format_args(args...));
  }
  template <typename... Args>
  void Trace(fmt::format_string<Args...> format, Args&&... args) const {
    Write(LogLevel::kTrace, format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void Debug(fmt::format_string<Args...> format, Args&&... args) const {
    Write(LogLevel::kDebug, format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void Info(fmt::format_string<Args...> format, Args&&... args) const {
    Write(LogLevel::kInfo, format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void Warn(fmt::format_string<Args...> format, Args&&... args) const {
    Write(LogLevel::kWarn, format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void Error(fmt::format_string<Args...> format, Args&&... args) const {
    Write(LogLevel::kError, format, std::forward<Args>(args)...);
  }

  // A message as it is, without a format.
  void WriteMessage(LogLevel level, std::string_view message) const;

 private:
  void WriteFormatted(LogLevel level, fmt::string_view format, fmt::format_args args) const;

  Options options_;
  std::string_view request_id_;
};

}  // namespace kelvin
