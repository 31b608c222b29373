#include "cli/local_metrics.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include <boost/json.hpp>

#include "base/encoding.h"

namespace kelvin::cli {
namespace {

constexpr std::size_t kMostKept = 100'000;
constexpr std::string_view kFunctions = "/2015-03-31/functions/";
constexpr std::string_view kInvocations = "/invocations";
constexpr std::string_view kMetrics = "/kelvin/metrics/";

// "name" of "name:alias" and of an ARN.
std::string BareName(std::string_view encoded) {
  std::string name = PercentDecode(encoded).value_or(std::string(encoded));
  constexpr std::string_view kInArn = "function:";
  if (const std::size_t at = name.find(kInArn); at != std::string::npos) {
    name.erase(0, at + kInArn.size());
  }
  return name.substr(0, name.find(':'));
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

double Quantile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto last = static_cast<double>(sorted.size() - 1);
  return sorted[static_cast<std::size_t>(share * last + 0.5)];
}

}  // namespace

void LocalMetrics::Note(std::string_view method, std::string_view target,
                        const http::Response& response, std::chrono::nanoseconds waited) {
  const std::string_view path = target.substr(0, target.find('?'));
  const std::string_view version = response.headers.Get("X-Amz-Executed-Version");
  if (method != "POST" || !path.starts_with(kFunctions) || !path.ends_with(kInvocations) ||
      version.empty()) {
    return;
  }
  const std::string_view name =
      path.substr(kFunctions.size(), path.size() - kFunctions.size() - kInvocations.size());
  invokes_.push_back({.at = clock_.WallNow(),
                      .function = BareName(name),
                      .version = std::string(version),
                      .ms = std::chrono::duration<double, std::milli>(waited).count(),
                      .failed = response.headers.Has("X-Amz-Function-Error")});
  if (invokes_.size() > kMostKept) invokes_.pop_front();
}

std::optional<http::Response> LocalMetrics::Answer(const http::Request& request) const {
  std::string_view target = request.target;
  if (request.method != "GET" || !target.starts_with(kMetrics)) return std::nullopt;
  target.remove_prefix(kMetrics.size());
  const std::string_view query = target.substr(std::min(target.find('?') + 1, target.size()));
  const std::string function = BareName(target.substr(0, target.find('?')));
  const std::string version = PercentDecode(InQuery(query, "version")).value_or(std::string());
  std::int64_t since = 0;
  const std::string_view text = InQuery(query, "since");
  std::from_chars(text.data(), text.data() + text.size(), since);
  const Clock::WallTime from{std::chrono::milliseconds(since)};
  std::vector<double> durations;
  std::uint64_t errors = 0;
  double sum = 0;
  for (auto at = invokes_.rbegin(); at != invokes_.rend() && at->at >= from; ++at) {
    if (at->function != function || at->version != version) continue;
    durations.push_back(at->ms);
    sum += at->ms;
    errors += at->failed ? 1 : 0;
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

}  // namespace kelvin::cli
