#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/fake_stream.h"
#include "kelvin/logger.h"

namespace kelvin::runtime {

// Keeps what was logged.
class LogLines final : public LogSink {
 public:
  void Write(std::string_view line) override { lines.emplace_back(line); }
  std::string all() const {
    std::string text;
    for (const std::string& line : lines) text += line;
    return text;
  }
  std::vector<std::string> lines;
};

// What a Runtime API sends.
inline std::string Answer(int status, std::string_view body, std::string_view headers = {}) {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\n" + std::string(headers) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}
inline std::string Event(std::string_view id, std::string_view payload,
                         std::string_view headers = {}) {
  return Answer(
      200, payload,
      "Lambda-Runtime-Aws-Request-Id: " + std::string(id) + "\r\n" + std::string(headers));
}
inline std::string Accepted() {
  return Answer(202, R"({"status":"OK"})");
}
// Ends a loop: the API says that it cannot go on.
inline std::string Fatal() {
  return Answer(500, R"({"errorType":"InternalServerError"})");
}

inline Error Gone() {
  return Error{ErrorCode::kUnavailable, "connection refused"};
}

}  // namespace kelvin::runtime
