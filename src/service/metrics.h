#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "http/message.h"
#include "service/report.h"

namespace kelvin::service {

enum class StartKind { kWarm, kCold };

// What a version of a function has at the moment.
struct VersionGauges {
  std::string function;
  std::string version;
  std::size_t running = 0;       // invokes, also those that wait for an environment
  std::size_t environments = 0;  // alive
};
struct Gauges {
  std::vector<VersionGauges> versions;
  std::map<std::string, std::size_t, std::less<>> queued_events;  // by function
};

// What the service counts of invokes, by function and executed version: for Prometheus at
// /metrics, and for 'kelvin rollout', to which it is what CloudWatch is on AWS. Each invoke is
// counted once, where it ends. Durations are those of REPORT lines, without init. Used from one
// thread.
class Metrics {
 public:
  explicit Metrics(const Clock& clock) : clock_(clock) {}  // outlives the object
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // An invoke is over.
  void CountInvoke(std::string_view function, std::string_view version, const InvokeReport& report,
                   StartKind start);
  // An invoke was refused.
  void CountThrottle(std::string_view function, std::string_view version);
  // An init went well.
  void CountInit(std::string_view function, std::string_view version, Nanoseconds duration);
  // A function was deleted.
  void Forget(std::string_view function);

  // Everything, in Prometheus' text format.
  std::string Render(const Gauges& gauges) const;

  // The answer to GET /kelvin/metrics/FUNCTION?version=V&since=MS, or nothing for another request.
  // Knows the newest 100,000 invokes.
  std::optional<http::Response> AnswerAboutVersion(const http::Request& request) const;

 private:
  static constexpr std::size_t kBuckets = 19;
  static const std::array<double, kBuckets> kBounds;  // seconds

  class Histogram {
   public:
    void Add(Nanoseconds duration);
    void Render(std::string& out, std::string_view name, std::string_view labels) const;

   private:
    std::array<std::uint64_t, kBuckets> counts_{};  // not cumulated
    std::uint64_t count_ = 0;
    Nanoseconds sum_{};
  };
  struct Series {
    std::uint32_t id = 0;
    std::uint64_t invocations = 0;
    std::uint64_t errors = 0;
    std::uint64_t throttles = 0;
    std::uint64_t cold_starts = 0;
    Histogram duration;
    Histogram init;
  };
  struct Recent {
    Clock::WallTime at;
    std::uint32_t series : 31;
    std::uint32_t failed : 1;
    float ms;
  };
  template <typename T>
  using ByName = std::map<std::string, T, std::less<>>;

  void Remember(const Recent& invoke);
  Series& SeriesOf(std::string_view function, std::string_view version);
  const Series* Find(std::string_view function, std::string_view version) const;
  template <typename Visit>
  void ForEach(Visit visit) const;

  const Clock& clock_;
  ByName<ByName<Series>> series_;  // by function and version
  std::uint32_t last_id_ = 0;
  std::vector<Recent> recent_;  // a ring when it is full: the oldest is at next_
  std::size_t next_ = 0;
};

}  // namespace kelvin::service
