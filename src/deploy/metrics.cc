#include "deploy/metrics.h"

#include <cstdlib>
#include <numeric>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/encoding.h"
#include "base/time_format.h"

namespace kelvin::deploy {
namespace {

namespace json = boost::json;

struct Query {
  std::string_view id;
  std::string_view metric;
  std::string_view statistic;
};
constexpr Query kQueries[] = {{"invocations", "Invocations", "Sum"},
                              {"errors", "Errors", "Sum"},
                              {"count", "Duration", "SampleCount"},
                              {"mean", "Duration", "Average"},
                              {"p50", "Duration", "p50"},
                              {"p99", "Duration", "p99"}};

double Sum(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}
// The figures of minutes, each by its share of the invokes: exact for a mean, and for percentiles
// as near as figures of minutes allow.
double Weighted(const std::vector<double>& values, const std::vector<double>& counts) {
  double sum = 0;
  double weight = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double count = i < counts.size() ? counts[i] : 1;
    sum += values[i] * count;
    weight += count;
  }
  return weight > 0 ? sum / weight : 0;
}

class CloudWatch final : public Metrics {
 public:
  CloudWatch(Api& api, const Clock& clock) : api_(api), clock_(clock) {}

  std::expected<VersionFigures, Error> Since(const std::string& function, const std::string& alias,
                                             const std::string& version,
                                             Clock::WallTime from) override {
    std::string body =
        fmt::format("Action=GetMetricData&Version=2010-08-01&StartTime={}&EndTime={}",
                    PercentEncode(FormatIso8601(std::chrono::floor<std::chrono::minutes>(from))),
                    PercentEncode(FormatIso8601(clock_.WallNow() + std::chrono::minutes(1))));
    int number = 0;
    for (const Query& query : kQueries) {
      const std::string prefix = fmt::format("&MetricDataQueries.member.{}.", ++number);
      const std::string stat = prefix + "MetricStat.";
      body += fmt::format("{}Id={}{}Period={}{}Stat={}", prefix, query.id, stat, 60, stat,
                          query.statistic);
      body += fmt::format("{}Metric.Namespace=AWS%2FLambda{}Metric.MetricName={}", stat, stat,
                          query.metric);
      int dimension = 0;
      for (const auto& [name, value] :
           {std::pair<std::string, std::string>{"FunctionName", function},
            {"Resource", function + ":" + alias},
            {"ExecutedVersion", version}}) {
        const std::string at = fmt::format("{}Metric.Dimensions.member.{}.", stat, ++dimension);
        body += fmt::format("{}Name={}{}Value={}", at, name, at, PercentEncode(value));
      }
    }
    auto answer = api_.Send({.service = "monitoring",
                             .action = "cloudwatch:GetMetricData",
                             .method = "POST",
                             .target = "/",
                             .body = std::move(body),
                             .headers = {{"Content-Type", "application/x-www-form-urlencoded"}}});
    if (!answer) return std::unexpected(std::move(answer.error()));
    const std::vector<double> counts = MetricValues(*answer, "count");
    return VersionFigures{
        .invocations = static_cast<std::uint64_t>(Sum(MetricValues(*answer, "invocations"))),
        .errors = static_cast<std::uint64_t>(Sum(MetricValues(*answer, "errors"))),
        .mean_ms = Weighted(MetricValues(*answer, "mean"), counts),
        .p50_ms = Weighted(MetricValues(*answer, "p50"), counts),
        .p99_ms = Weighted(MetricValues(*answer, "p99"), counts)};
  }

 private:
  Api& api_;
  const Clock& clock_;
};

class Local final : public Metrics {
 public:
  explicit Local(Api& api) : api_(api) {}

  std::expected<VersionFigures, Error> Since(const std::string& function, const std::string&,
                                             const std::string& version,
                                             Clock::WallTime from) override {
    const auto since =
        std::chrono::duration_cast<std::chrono::milliseconds>(from.time_since_epoch()).count();
    auto answer =
        api_.Send({.service = "lambda",
                   .action = "kelvin:GetMetrics",
                   .method = "GET",
                   .target = fmt::format("/kelvin/metrics/{}?version={}&since={}",
                                         PercentEncode(function), PercentEncode(version), since)});
    if (!answer) return std::unexpected(std::move(answer.error()));
    boost::system::error_code failed;
    const json::value value = json::parse(*answer, failed);
    const json::object* object = failed ? nullptr : value.if_object();
    if (object == nullptr) {
      return std::unexpected(Error{ErrorCode::kCorrupt,
                                   "expected a JSON object with the figures, got something else"});
    }
    const auto number = [object](std::string_view key) {
      const json::value* found = object->if_contains(key);
      boost::system::error_code ignored;
      return found != nullptr ? found->to_number<double>(ignored) : 0.0;
    };
    return VersionFigures{.invocations = static_cast<std::uint64_t>(number("invocations")),
                          .errors = static_cast<std::uint64_t>(number("errors")),
                          .mean_ms = number("meanMs"),
                          .p50_ms = number("p50Ms"),
                          .p99_ms = number("p99Ms")};
  }

 private:
  Api& api_;
};

}  // namespace

std::vector<double> MetricValues(std::string_view xml, std::string_view id) {
  std::vector<double> values;
  const std::string wanted = fmt::format("<Id>{}</Id>", id);
  const std::size_t at = xml.find(wanted);
  if (at == std::string_view::npos) return values;
  // Each result is a <member> whose <Values> hold <member>s; it ends where the next <Id> begins.
  std::string_view result = xml.substr(at + wanted.size());
  result = result.substr(0, result.find("<Id>"));
  const std::size_t begin = result.find("<Values>");
  if (begin == std::string_view::npos) return values;
  result = result.substr(begin, result.find("</Values>") - begin);
  constexpr std::string_view kMember = "<member>";
  for (std::size_t next = result.find(kMember); next != std::string_view::npos;
       next = result.find(kMember, next + 1)) {
    const std::string number(result.substr(next + kMember.size(), 40));
    values.push_back(std::strtod(number.c_str(), nullptr));
  }
  return values;
}

std::unique_ptr<Metrics> CloudWatchMetrics(Api& api, const Clock& clock) {
  return std::make_unique<CloudWatch>(api, clock);
}

std::unique_ptr<Metrics> LocalMetrics(Api& api) {
  return std::make_unique<Local>(api);
}

}  // namespace kelvin::deploy
