#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/ids.h"
#include "http/fake_stream.h"

// What the tests of this folder share.
namespace kelvin::aws {

// Gives the same numbers in every run; `Next` of a fresh one gives `first`.
class CountingRandom final : public Random {
 public:
  explicit CountingRandom(std::uint64_t first = 1) : value_(first) {}
  std::uint64_t Next() override { return value_++; }

 private:
  std::uint64_t value_;
};

// An HTTP answer; `headers` are whole lines.
inline std::string Answer(std::string_view status, std::string_view body,
                          std::string_view headers = {}) {
  return fmt::format("HTTP/1.1 {}\r\n{}Content-Length: {}\r\n\r\n{}", status, headers, body.size(),
                     body);
}

// Answers all on one connection.
inline void AddAnswers(http::FakeConnector& network, const std::vector<std::string>& answers) {
  http::FakeConnector::Script script;
  for (const std::string& answer : answers) script.reads.emplace_back(answer);
  network.AddConnection(std::move(script));
}

}  // namespace kelvin::aws
