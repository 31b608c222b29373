#include "service/extension_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kelvin::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Protocol = TelemetryDestination::Protocol;

std::expected<Subscription, std::string> Parse(std::string_view body) {
  return ParseSubscription(body, TelemetryApi::kTelemetry);
}

TEST(ParseRegistration, TakesEventsOrNone) {
  EXPECT_THAT(*ParseRegistration(R"({"events":["INVOKE","SHUTDOWN"]})"),
              ElementsAre("INVOKE", "SHUTDOWN"));
  EXPECT_THAT(*ParseRegistration("{}"), IsEmpty());
}

TEST(ParseRegistration, RefusesWhatIsNoRegistration) {
  for (const char* body : {"", "[]", "{", R"({"events":"INVOKE"})", R"({"events":[1]})",
                           R"({"configurationKeys":["a"]})"}) {
    EXPECT_FALSE(ParseRegistration(body)) << body;
  }
}

TEST(ParseSubscription, TakesAnHttpDestination) {
  const auto subscription = Parse(
      R"({"schemaVersion":"2022-12-13","types":["platform","function","function"],
          "buffering":{"maxItems":2000,"maxBytes":300000,"timeoutMs":25},
          "destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:8080/in?x"}})");
  ASSERT_TRUE(subscription) << subscription.error();
  EXPECT_THAT(subscription->kinds, ElementsAre(TelemetryKind::kPlatform, TelemetryKind::kFunction));
  EXPECT_EQ(subscription->destination.protocol, Protocol::kHttp);
  EXPECT_EQ(subscription->destination.port, 8080);
  EXPECT_EQ(subscription->destination.path, "/in?x");
  EXPECT_EQ(subscription->max_items, 2000u);
  EXPECT_EQ(subscription->max_bytes, 300000u);
  EXPECT_EQ(subscription->timeout.count(), 25);
}

TEST(ParseSubscription, TakesATcpDestinationAndTheDefaults) {
  const auto subscription = Parse(
      R"({"schemaVersion":"2022-07-01","types":["extension"],
          "destination":{"protocol":"TCP","port":9000}})");
  ASSERT_TRUE(subscription) << subscription.error();
  EXPECT_EQ(subscription->destination.protocol, Protocol::kTcp);
  EXPECT_EQ(subscription->destination.port, 9000);
  EXPECT_EQ(subscription->max_bytes, 262'144u);
  EXPECT_EQ(subscription->timeout.count(), 1000);
}

TEST(ParseSubscription, ListsAllThatIsWrong) {
  EXPECT_EQ(Parse(R"({"schemaVersion":"2022-07-01","types":[],
                      "destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain"}})")
                .error(),
            "URI port is not provided; types should not be empty");
}

TEST(ParseSubscription, RefusesEachThingThatIsWrong) {
  struct Row {
    const char* body;
    const char* message;
  };
  const Row rows[] = {
      {"", "failed to parse JSON"},
      {"[]", "failed to parse JSON"},
      {R"({"types":["platform"],"destination":{"protocol":"TCP","port":1}})",
       "schemaVersion is not supported"},
      {R"({"schemaVersion":"2022-07-01","types":["logs"],"destination":{"protocol":"TCP","port":1}})",
       "types should be platform, function or extension"},
      {R"({"schemaVersion":"2022-07-01","types":["platform"]})", "destination is not provided"},
      {R"({"schemaVersion":"2022-07-01","types":["platform"],"destination":{"protocol":"UDP"}})",
       "destination.protocol should be HTTP or TCP"},
      {R"({"schemaVersion":"2022-07-01","types":["platform"],"destination":{"protocol":"TCP","port":0}})",
       "destination.port should be between 1 and 65535"},
      {R"({"schemaVersion":"2022-07-01","types":["platform"],
           "destination":{"protocol":"HTTP","URI":"http://example.org:80"}})",
       "URI host should be sandbox.localdomain"},
      {R"({"schemaVersion":"2022-07-01","types":["platform"],
           "destination":{"protocol":"HTTP","URI":"http://sandbox:1/a\r\nX: 1"}})",
       "URI is not valid"},
      {R"({"schemaVersion":"2022-07-01","types":["platform"],
           "destination":{"protocol":"TCP","port":1},"buffering":{"maxItems":1}})",
       "maxItems should be between 1000 and 10000"},
      {R"({"schemaVersion":"2022-07-01","types":["platform"],
           "destination":{"protocol":"TCP","port":1},"buffering":{"timeoutMs":1.5}})",
       "timeoutMs should be between 25 and 30000"},
  };
  for (const Row& row : rows) {
    const auto parsed = Parse(row.body);
    ASSERT_FALSE(parsed) << row.body;
    EXPECT_EQ(parsed.error(), row.message);
  }
}

TEST(ParseSubscription, KnowsTheLogsApi) {
  constexpr std::string_view kBody =
      R"({"types":["function"],"destination":{"protocol":"HTTP","URI":"http://sandbox:1"}})";
  EXPECT_TRUE(ParseSubscription(kBody, TelemetryApi::kLogs));
  EXPECT_THAT(Parse(kBody).error(), HasSubstr("schemaVersion"));
}

}  // namespace
}  // namespace kelvin::service
