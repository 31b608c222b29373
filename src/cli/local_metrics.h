#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "http/message.h"

namespace kelvin::cli {

// What the local service counts of synchronous invokes, by function and executed version, for
// 'kelvin rollout': what CloudWatch is on AWS. Durations are those that callers waited. Keeps the
// newest 100,000 invokes. Not thread-safe.
class LocalMetrics {
 public:
  explicit LocalMetrics(const Clock& clock) : clock_(clock) {}  // outlives the object

  // Notes an answered request, when it was an invoke.
  void Note(std::string_view method, std::string_view target, const http::Response& response,
            std::chrono::nanoseconds waited);

  // The answer to GET /kelvin/metrics/FUNCTION?version=V&since=MS, or nothing for another request.
  std::optional<http::Response> Answer(const http::Request& request) const;

 private:
  struct Invoke {
    Clock::WallTime at;
    std::string function;
    std::string version;
    double ms = 0;
    bool failed = false;
  };
  const Clock& clock_;
  std::deque<Invoke> invokes_;  // oldest first
};

}  // namespace kelvin::cli
