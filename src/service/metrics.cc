#include "service/metrics.h"

#include <algorithm>
#include <charconv>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/encoding.h"

namespace kelvin::service {
namespace {

constexpr std::size_t kMostRecent = 100'000;
constexpr std::uint32_t kMostSeries = ~(1U << 31);
constexpr std::string_view kAboutVersion = "/kelvin/metrics/";

void Head(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

std::string Escaped(std::string_view value) {
  std::string text;
  for (const char c : value) {
    if (c == '\\' || c == '"') text.push_back('\\');
    if (c == '\n') {
      text += "\\n";
    } else {
      text.push_back(c);
    }
  }
  return text;
}

std::string Labels(std::string_view function, std::string_view version) {
  return fmt::format("function=\"{}\",version=\"{}\"", Escaped(function), Escaped(version));
}

double Seconds(Nanoseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

double Quantile(const std::vector<float>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto last = static_cast<double>(sorted.size() - 1);
  return sorted[static_cast<std::size_t>(share * last + 0.5)];
}

std::string_view InQuery(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.starts_with(name) && pair.substr(name.size()).starts_with('=')) {
      return pair.substr(name.size() + 1);
    }
  }
  return {};
}

// "name" of "name:alias" and of an ARN.
std::string BareName(std::string_view encoded) {
  std::string name = PercentDecode(encoded).value_or(std::string(encoded));
  constexpr std::string_view kInArn = "function:";
  if (const std::size_t at = name.find(kInArn); at != std::string::npos) {
    name.erase(0, at + kInArn.size());
  }
  return name.substr(0, name.find(':'));
}

}  // namespace

const std::array<double, Metrics::kBuckets> Metrics::kBounds = {
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
    1,      2.5,   5,      10,    30,   60,    120,  300, 900};

void Metrics::Histogram::Add(Nanoseconds duration) {
  const auto bucket = std::ranges::lower_bound(kBounds, Seconds(duration));
  if (bucket != kBounds.end()) ++counts_[static_cast<std::size_t>(bucket - kBounds.begin())];
  ++count_;
  sum_ += duration;
}

void Metrics::Histogram::Render(std::string& out, std::string_view name,
                                std::string_view labels) const {
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    below += counts_[i];
    out += fmt::format("{}_bucket{{{},le=\"{}\"}} {}\n", name, labels, kBounds[i], below);
  }
  out += fmt::format("{}_bucket{{{},le=\"+Inf\"}} {}\n", name, labels, count_);
  out += fmt::format("{}_sum{{{}}} {}\n", name, labels, Seconds(sum_));
  out += fmt::format("{}_count{{{}}} {}\n", name, labels, count_);
}

Metrics::Series& Metrics::SeriesOf(std::string_view function, std::string_view version) {
  auto by_version = series_.find(function);
  if (by_version == series_.end()) by_version = series_.try_emplace(std::string(function)).first;
  auto found = by_version->second.find(version);
  if (found == by_version->second.end()) {
    found = by_version->second.try_emplace(std::string(version)).first;
    found->second.id = ++last_id_;
  }
  return found->second;
}

const Metrics::Series* Metrics::Find(std::string_view function, std::string_view version) const {
  const auto by_version = series_.find(function);
  if (by_version == series_.end()) return nullptr;
  const auto found = by_version->second.find(version);
  return found == by_version->second.end() ? nullptr : &found->second;
}

void Metrics::CountInvoke(std::string_view function, std::string_view version,
                          const InvokeReport& report, StartKind start) {
  Series& series = SeriesOf(function, version);
  const bool failed = report.status != RunStatus::kSuccess;
  ++series.invocations;
  if (failed) ++series.errors;
  if (start == StartKind::kCold) ++series.cold_starts;
  series.duration.Add(report.duration);
  Remember({.at = clock_.WallNow(),
            .series = series.id & kMostSeries,
            .failed = failed,
            .ms = std::chrono::duration<float, std::milli>(report.duration).count()});
}

void Metrics::Remember(const Recent& invoke) {
  // At once and apart from all else: what is not used yet takes no memory.
  recent_.reserve(kMostRecent);
  if (recent_.size() < kMostRecent) {
    recent_.push_back(invoke);
  } else {
    recent_[next_] = invoke;
    next_ = (next_ + 1) % kMostRecent;
  }
}

void Metrics::CountThrottle(std::string_view function, std::string_view version) {
  ++SeriesOf(function, version).throttles;
}

void Metrics::CountInit(std::string_view function, std::string_view version, Nanoseconds duration) {
  SeriesOf(function, version).init.Add(duration);
}

void Metrics::Forget(std::string_view function) {
  const auto found = series_.find(function);
  if (found != series_.end()) series_.erase(found);
}

template <typename Visit>
void Metrics::ForEach(Visit visit) const {
  for (const auto& [function, versions] : series_) {
    for (const auto& [version, series] : versions) visit(Labels(function, version), series);
  }
}

std::string Metrics::Render(const Gauges& gauges) const {
  std::string out;
  const auto counters = [&](std::string_view name, std::string_view help,
                            std::uint64_t Series::* value) {
    Head(out, name, "counter", help);
    ForEach([&](const std::string& labels, const Series& series) {
      out += fmt::format("{}{{{}}} {}\n", name, labels, series.*value);
    });
  };
  counters("kelvin_invocations_total", "Invokes that ended.", &Series::invocations);
  counters("kelvin_errors_total", "Invokes that ended in an error, a crash or a time-out.",
           &Series::errors);
  counters("kelvin_throttles_total", "Invokes that were refused over a limit of concurrency.",
           &Series::throttles);
  counters("kelvin_cold_starts_total", "Invokes that were the first of an environment.",
           &Series::cold_starts);
  const auto histograms = [&](std::string_view name, std::string_view help,
                              Histogram Series::* value) {
    Head(out, name, "histogram", help);
    ForEach([&](const std::string& labels, const Series& series) {
      (series.*value).Render(out, name, labels);
    });
  };
  histograms("kelvin_invoke_duration_seconds", "Duration of invokes, without init.",
             &Series::duration);
  histograms("kelvin_init_duration_seconds", "Duration of inits that went well.", &Series::init);
  const auto by_version = [&](std::string_view name, std::string_view help,
                              std::size_t VersionGauges::* value) {
    Head(out, name, "gauge", help);
    for (const VersionGauges& gauge : gauges.versions) {
      out +=
          fmt::format("{}{{{}}} {}\n", name, Labels(gauge.function, gauge.version), gauge.*value);
    }
  };
  by_version("kelvin_concurrent_executions", "Invokes that run or wait for an environment.",
             &VersionGauges::running);
  by_version("kelvin_environments", "Execution environments that are alive.",
             &VersionGauges::environments);
  Head(out, "kelvin_async_queue_depth", "gauge",
       "Accepted events that are not done with, retries and running ones too.");
  for (const auto& [function, depth] : gauges.queued_events) {
    out +=
        fmt::format("kelvin_async_queue_depth{{function=\"{}\"}} {}\n", Escaped(function), depth);
  }
  return out;
}

std::optional<http::Response> Metrics::AnswerAboutVersion(const http::Request& request) const {
  std::string_view target = request.target;
  if (request.method != "GET" || !target.starts_with(kAboutVersion)) return std::nullopt;
  target.remove_prefix(kAboutVersion.size());
  const std::string_view query = target.substr(std::min(target.find('?') + 1, target.size()));
  const Series* const series =
      Find(BareName(target.substr(0, target.find('?'))),
           PercentDecode(InQuery(query, "version")).value_or(std::string()));
  std::int64_t since = 0;
  const std::string_view text = InQuery(query, "since");
  std::from_chars(text.data(), text.data() + text.size(), since);
  const Clock::WallTime from{std::chrono::milliseconds(since)};
  std::vector<float> durations;
  std::uint64_t errors = 0;
  double sum = 0;
  const std::size_t count = series != nullptr ? recent_.size() : 0;
  for (std::size_t back = 1; back <= count; ++back) {
    const Recent& invoke = recent_[(next_ + count - back) % count];
    if (invoke.at < from) break;
    if (invoke.series != series->id) continue;
    durations.push_back(invoke.ms);
    sum += static_cast<double>(invoke.ms);
    errors += invoke.failed;
  }
  std::ranges::sort(durations);
  const double mean = durations.empty() ? 0 : sum / static_cast<double>(durations.size());
  http::Response response{
      .status = 200, .headers = {{"Content-Type", "application/json"}}, .body = {}};
  response.body = boost::json::serialize(boost::json::object{{"invocations", durations.size()},
                                                             {"errors", errors},
                                                             {"meanMs", mean},
                                                             {"p50Ms", Quantile(durations, 0.50)},
                                                             {"p99Ms", Quantile(durations, 0.99)}});
  return response;
}

}  // namespace kelvin::service
