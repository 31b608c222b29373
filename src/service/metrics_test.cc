#include "service/metrics.h"

#include <cmath>
#include <optional>
#include <regex>
#include <set>
#include <sstream>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "base/fake_clock.h"

namespace kelvin::service {
namespace {

using namespace std::chrono_literals;

// Prometheus' text format 0.0.4, read strictly: each family has its HELP and TYPE before its
// samples, which stand together; names, labels and values are well formed; no sample comes twice;
// histograms are cumulative and end with +Inf, which equals their count.
class Exposition {
 public:
  explicit Exposition(const std::string& text) {
    EXPECT_TRUE(text.empty() || text.ends_with('\n'));
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) Read(line);
    EndFamily();
  }
  double at(const std::string& sample) const {
    const auto found = samples_.find(sample);
    if (found == samples_.end()) ADD_FAILURE() << "no sample " << sample;
    return found == samples_.end() ? std::nan("") : found->second;
  }
  bool has(const std::string& sample) const { return samples_.contains(sample); }
  const std::map<std::string, std::string>& types() const { return types_; }

 private:
  void Read(const std::string& line) {
    static const std::regex kHelp(R"(# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (\S.*))");
    static const std::regex kType(
        R"(# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram|summary|untyped))");
    static const std::regex kSample(
        R"re(([a-zA-Z_:][a-zA-Z0-9_:]*)\{([a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"(?:,[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*")*)\} (\S+))re");
    std::smatch match;
    if (std::regex_match(line, match, kHelp)) {
      EndFamily();
      helped_ = match[1];
      return;
    }
    if (std::regex_match(line, match, kType)) {
      EXPECT_EQ(match[1], helped_) << "TYPE does not follow its HELP";
      EXPECT_TRUE(types_.emplace(match[1], match[2]).second) << "a family twice: " << line;
      family_ = match[1];
      return;
    }
    ASSERT_TRUE(std::regex_match(line, match, kSample)) << line;
    const std::string name = match[1];
    const std::string labels = match[2];
    std::size_t used = 0;
    const double value = std::stod(match[3], &used);
    EXPECT_EQ(used, match[3].length()) << line;
    EXPECT_TRUE(BelongsTo(name)) << line << " in family " << family_;
    EXPECT_TRUE(samples_.emplace(name + "{" + labels + "}", value).second) << "twice: " << line;
    EXPECT_TRUE(types_[family_] != "counter" || name.ends_with("_total")) << line;
    if (types_[family_] == "histogram") ReadHistogram(name, labels, value);
  }
  bool BelongsTo(const std::string& name) {
    if (types_[family_] != "histogram") return name == family_;
    return name == family_ + "_bucket" || name == family_ + "_sum" || name == family_ + "_count";
  }
  void ReadHistogram(const std::string& name, std::string labels, double value) {
    if (name.ends_with("_bucket")) {
      const std::size_t le = labels.rfind(",le=\"");
      ASSERT_NE(le, labels.npos) << labels;
      const std::string text = labels.substr(le + 5, labels.size() - le - 6);
      const double bound = text == "+Inf" ? INFINITY : std::stod(text);
      Buckets& buckets = buckets_[labels.substr(0, le)];
      EXPECT_GT(bound, buckets.last_bound);
      EXPECT_GE(value, buckets.last_value);
      buckets.last_bound = bound;
      buckets.last_value = value;
    } else if (name.ends_with("_count")) {
      EXPECT_EQ(buckets_[labels].last_bound, INFINITY);
      EXPECT_EQ(buckets_[labels].last_value, value);
      counted_.insert(labels);
    }
  }
  void EndFamily() {
    for (const auto& [labels, buckets] : buckets_) EXPECT_TRUE(counted_.contains(labels)) << labels;
    buckets_.clear();
    counted_.clear();
    family_.clear();
  }

  struct Buckets {
    double last_bound = -INFINITY;
    double last_value = 0;
  };
  std::string helped_;
  std::string family_;
  std::map<std::string, std::string> types_;
  std::map<std::string, double> samples_;
  std::map<std::string, Buckets> buckets_;
  std::set<std::string> counted_;
};

class MetricsTest : public ::testing::Test {
 protected:
  void Invoke(std::string_view function, std::string_view version, Nanoseconds duration,
              RunStatus status = RunStatus::kSuccess, StartKind start = StartKind::kWarm) {
    metrics_.CountInvoke(function, version,
                         {.request_id = {}, .duration = duration, .status = status}, start);
  }
  boost::json::value Ask(const std::string& query) {
    const auto answer = metrics_.AnswerAboutVersion(
        {.method = "GET", .target = "/kelvin/metrics/" + query, .headers = {}, .body = {}});
    return boost::json::parse(answer.value().body);
  }
  FakeClock clock_;
  Metrics metrics_{clock_};
};

TEST_F(MetricsTest, AreTextThatPrometheusReads) {
  Invoke("f", "$LATEST", 2ms, RunStatus::kSuccess, StartKind::kCold);
  Invoke("f", "$LATEST", 700us);
  Invoke("f", "$LATEST", 3s, RunStatus::kTimeout);
  Invoke("f", "2", 1ms);
  metrics_.CountInit("f", "$LATEST", 80ms);
  metrics_.CountThrottle("g", "$LATEST");
  const Exposition seen(
      metrics_.Render({.versions = {{"f", "2", 3, 4}}, .queued_events = {{"g", 7}}}));
  EXPECT_EQ(seen.at(R"(kelvin_invocations_total{function="f",version="$LATEST"})"), 3);
  EXPECT_EQ(seen.at(R"(kelvin_invocations_total{function="f",version="2"})"), 1);
  EXPECT_EQ(seen.at(R"(kelvin_errors_total{function="f",version="$LATEST"})"), 1);
  EXPECT_EQ(seen.at(R"(kelvin_cold_starts_total{function="f",version="$LATEST"})"), 1);
  EXPECT_EQ(seen.at(R"(kelvin_throttles_total{function="g",version="$LATEST"})"), 1);
  const std::string duration =
      R"(kelvin_invoke_duration_seconds_bucket{function="f",version="$LATEST",le=")";
  EXPECT_EQ(seen.at(duration + "0.0005\"}"), 0);
  EXPECT_EQ(seen.at(duration + "0.001\"}"), 1);
  EXPECT_EQ(seen.at(duration + "0.0025\"}"), 2);
  EXPECT_EQ(seen.at(duration + "5\"}"), 3);
  EXPECT_DOUBLE_EQ(seen.at(R"(kelvin_invoke_duration_seconds_sum{function="f",version="$LATEST"})"),
                   3.0027);
  EXPECT_EQ(seen.at(R"(kelvin_init_duration_seconds_count{function="f",version="$LATEST"})"), 1);
  EXPECT_EQ(seen.at(R"(kelvin_concurrent_executions{function="f",version="2"})"), 3);
  EXPECT_EQ(seen.at(R"(kelvin_environments{function="f",version="2"})"), 4);
  EXPECT_EQ(seen.at(R"(kelvin_async_queue_depth{function="g"})"), 7);
  EXPECT_EQ(seen.types().size(), 9u);
}

TEST_F(MetricsTest, CountADurationBeyondTheLastBound) {
  Invoke("f", "1", std::chrono::hours(1));
  const Exposition seen(metrics_.Render({}));
  const std::string bucket =
      R"(kelvin_invoke_duration_seconds_bucket{function="f",version="1",le=")";
  EXPECT_EQ(seen.at(bucket + "900\"}"), 0);
  EXPECT_EQ(seen.at(bucket + "+Inf\"}"), 1);
}

TEST_F(MetricsTest, EscapeWhatALabelMayNotHold) {
  metrics_.CountThrottle("a\"b\\c\nd", "1");
  EXPECT_TRUE(Exposition(metrics_.Render({}))
                  .has(R"(kelvin_throttles_total{function="a\"b\\c\nd",version="1"})"));
}

TEST_F(MetricsTest, ForgetADeletedFunction) {
  Invoke("f", "1", 1ms);
  metrics_.Forget("f");
  EXPECT_FALSE(
      Exposition(metrics_.Render({})).has(R"(kelvin_invocations_total{function="f",version="1"})"));
  EXPECT_EQ(Ask("f?version=1&since=0").at("invocations"), 0);
  Invoke("f", "1", 1ms);
  EXPECT_EQ(Ask("f?version=1&since=0").at("invocations"), 1);
}

TEST_F(MetricsTest, TellAboutOneVersion) {
  for (int i = 1; i <= 100; ++i) {
    Invoke("f", "2", std::chrono::milliseconds(i),
           i == 7 ? RunStatus::kFailure : RunStatus::kSuccess);
  }
  Invoke("f", "1", 5ms);
  Invoke("other", "2", 5ms);
  const auto figures = Ask("f%3Alive?version=2&since=0");
  EXPECT_EQ(figures.at("invocations"), 100);
  EXPECT_EQ(figures.at("errors"), 1);
  EXPECT_EQ(figures.at("meanMs").to_number<double>(), 50.5);
  EXPECT_EQ(figures.at("p99Ms").to_number<double>(), 99);
  EXPECT_EQ(Ask("f?version=1&since=0").at("invocations"), 1);
}

TEST_F(MetricsTest, LookNoFurtherBackThanAsked) {
  Invoke("f", "1", 5ms);
  clock_.Advance(10s);
  const auto now =
      std::chrono::duration_cast<std::chrono::milliseconds>(clock_.WallNow().time_since_epoch());
  EXPECT_EQ(Ask("f?version=1&since=" + std::to_string(now.count())).at("invocations"), 0);
  EXPECT_EQ(Ask("f?version=1&since=" + std::to_string(now.count() - 10'000)).at("invocations"), 1);
}

TEST_F(MetricsTest, KnowTheNewestHundredThousandInvokes) {
  Invoke("f", "1", 1ms, RunStatus::kFailure);
  for (int i = 1; i < 100'000; ++i) Invoke("f", "1", 1ms);
  EXPECT_EQ(Ask("f?version=1&since=0").at("errors"), 1);
  Invoke("f", "1", 1ms);
  clock_.Advance(10s);
  Invoke("f", "2", 1ms);
  EXPECT_EQ(Ask("f?version=1&since=0").at("errors"), 0);
  EXPECT_EQ(Ask("f?version=1&since=0").at("invocations"), 99'999);
  const auto now =
      std::chrono::duration_cast<std::chrono::milliseconds>(clock_.WallNow().time_since_epoch());
  EXPECT_EQ(Ask("f?version=2&since=" + std::to_string(now.count())).at("invocations"), 1);
  EXPECT_EQ(Ask("f?version=1&since=" + std::to_string(now.count())).at("invocations"), 0);
}

TEST_F(MetricsTest, LeaveOtherRequestsAlone) {
  EXPECT_FALSE(metrics_.AnswerAboutVersion(
      {.method = "GET", .target = "/2015-03-31/functions", .headers = {}, .body = {}}));
}

}  // namespace
}  // namespace kelvin::service
