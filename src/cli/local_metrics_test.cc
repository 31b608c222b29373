#include "cli/local_metrics.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "base/fake_clock.h"

namespace kelvin::cli {
namespace {

class LocalMetricsTest : public ::testing::Test {
 protected:
  void Invoke(const char* target, const char* version, int ms, bool failed = false) {
    http::Response response{
        .status = 200, .headers = {{"X-Amz-Executed-Version", version}}, .body = {}};
    if (failed) response.headers.Add("X-Amz-Function-Error", "Unhandled");
    metrics_.Note("POST", target, response, std::chrono::milliseconds(ms));
  }
  boost::json::value Ask(const std::string& query) {
    const auto answer = metrics_.Answer(
        {.method = "GET", .target = "/kelvin/metrics/" + query, .headers = {}, .body = {}});
    return boost::json::parse(answer.value().body);
  }
  FakeClock clock_;
  LocalMetrics metrics_{clock_};
};

TEST_F(LocalMetricsTest, CountsByFunctionAndVersion) {
  for (int i = 1; i <= 100; ++i)
    Invoke("/2015-03-31/functions/f%3Alive/invocations", "2", i, i == 7);
  Invoke("/2015-03-31/functions/f/invocations?Qualifier=live", "1", 5);
  Invoke("/2015-03-31/functions/other/invocations", "2", 5);
  Invoke("/2015-03-31/functions/f/versions", "2", 5);
  const auto figures = Ask("f?version=2&since=0");
  EXPECT_EQ(figures.at("invocations"), 100);
  EXPECT_EQ(figures.at("errors"), 1);
  EXPECT_EQ(figures.at("meanMs").to_number<double>(), 50.5);
  EXPECT_EQ(figures.at("p99Ms").to_number<double>(), 99);
  EXPECT_EQ(Ask("f?version=1&since=0").at("invocations"), 1);
}

TEST_F(LocalMetricsTest, LooksNoFurtherBackThanAsked) {
  Invoke("/2015-03-31/functions/f/invocations", "1", 5);
  clock_.Advance(std::chrono::seconds(10));
  const auto now =
      std::chrono::duration_cast<std::chrono::milliseconds>(clock_.WallNow().time_since_epoch());
  EXPECT_EQ(Ask("f?version=1&since=" + std::to_string(now.count())).at("invocations"), 0);
  EXPECT_EQ(Ask("f?version=1&since=" + std::to_string(now.count() - 10'000)).at("invocations"), 1);
}

TEST_F(LocalMetricsTest, LeavesOtherRequestsAlone) {
  EXPECT_FALSE(metrics_.Answer(
      {.method = "GET", .target = "/2015-03-31/functions", .headers = {}, .body = {}}));
}

}  // namespace
}  // namespace kelvin::cli
