#include "kelvin/logger.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/time_format.h"
#include "runtime/json_text.h"

namespace kelvin {
namespace {

void AppendText(std::string& line, std::string_view time, std::string_view request_id,
                LogLevel level, std::string_view message) {
  line.append(time).append(" ");
  if (!request_id.empty()) line.append(request_id).append(" ");
  line.append(LogLevelName(level)).append(" ");
  const std::size_t start = line.size();
  line.append(message);
  // CloudWatch takes each '\n' for the end of an event, and shows '\r' as a line break.
  for (std::size_t i = start; i < line.size(); ++i) {
    if (line[i] == '\n') line[i] = '\r';
  }
}

void AppendJson(std::string& line, std::string_view time, std::string_view request_id,
                LogLevel level, std::string_view message) {
  line.append(R"({"timestamp":")").append(time);
  line.append(R"(","level":")").append(LogLevelName(level));
  line.append(R"(","message":)");
  AppendJsonString(line, message);
  if (!request_id.empty()) {
    line.append(R"(,"requestId":)");
    AppendJsonString(line, request_id);
  }
  line.append("}");
}

}  // namespace

Logger Logger::ForRequest(std::string_view request_id) const {
  Logger logger = *this;
  logger.request_id_ = request_id;
  return logger;
}

void Logger::WriteFormatted(LogLevel level, fmt::string_view format, fmt::format_args args) const {
  WriteMessage(level, fmt::vformat(format, args));
}

void Logger::WriteMessage(LogLevel level, std::string_view message) const {
  if (!enabled(level)) return;
  const SystemClock system;
  const Clock& clock = options_.clock != nullptr ? *options_.clock : system;
  const std::string time = FormatIso8601(clock.WallNow());
  std::string line;
  line.reserve(message.size() + 128);
  if (options_.format == LogFormat::kJson) {
    AppendJson(line, time, request_id_, level, message);
  } else {
    AppendText(line, time, request_id_, level, message);
  }
  line += '\n';
  if (options_.sink != nullptr) {
    options_.sink->Write(line);
  } else {
    // There is no place left to report to when the log itself cannot be written.
    (void)WriteAll(STDOUT_FILENO, line);
  }
}

}  // namespace kelvin
