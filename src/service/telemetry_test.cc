#include "service/telemetry.h"

#include <map>
#include <utility>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/scheduler_fixture.h"

namespace kelvin::service {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class TelemetryTest : public ::testing::Test {
 protected:
  TelemetryTest() { telemetry_.Begin(Telemetry::Early::kKept); }
  ~TelemetryTest() override {
    if (sender_.held) sender_.held->Set(true);
    Poll();
  }

  static Subscription Of(std::vector<TelemetryKind> kinds) {
    Subscription subscription;
    subscription.schema_version = "2022-12-13";
    subscription.kinds = std::move(kinds);
    subscription.destination.port = 8080;
    subscription.max_items = 1000;
    subscription.timeout = 100ms;
    return subscription;
  }
  void Subscribe(std::vector<TelemetryKind> kinds) {
    telemetry_.Subscribe("ext", Of(std::move(kinds)), TelemetryApi::kTelemetry);
  }
  void Line(std::string_view line) {
    telemetry_.EmitLine(TelemetryKind::kFunction, line, LogFormat::kText);
  }
  void Poll() {
    context_.restart();
    context_.poll();
  }
  void Advance(std::chrono::milliseconds time) {
    clock_.Advance(time);
    timers_.RunDue();
    Poll();
  }

  FakeClock clock_;
  boost::asio::io_context context_{1};
  Timers timers_{context_.get_executor(), clock_};
  FakeTelemetrySender sender_;
  Telemetry telemetry_{{context_.get_executor(), sender_, timers_, clock_}};
};

TEST_F(TelemetryTest, SendsWhatIsWantedAfterTheTimeout) {
  Subscribe({TelemetryKind::kFunction});
  Line("one");
  telemetry_.EmitLine(TelemetryKind::kExtension, "not wanted", LogFormat::kText);
  Line("two");
  Advance(99ms);
  EXPECT_THAT(sender_.batches, IsEmpty());
  Advance(1ms);
  ASSERT_THAT(sender_.batches, SizeIs(1));
  const auto records = boost::json::parse(sender_.batches[0].body).as_array();
  ASSERT_THAT(records, SizeIs(2));
  EXPECT_EQ(records[0].at("type"), "function");
  EXPECT_EQ(records[0].at("record"), "one");
  EXPECT_TRUE(records[0].at("time").is_string());
  EXPECT_EQ(sender_.batches[0].destination.port, 8080);
}

TEST_F(TelemetryTest, GivesWhatCameBeforeTheSubscription) {
  telemetry_.Emit(TelemetryKind::kPlatform, "platform.initStart", boost::json::object{});
  Line("early");
  Subscribe({TelemetryKind::kPlatform});
  telemetry_.Flush();
  Poll();
  EXPECT_THAT(sender_.all(),
              AllOf(HasSubstr("platform.initStart"), HasSubstr("platform.telemetrySubscription"),
                    Not(HasSubstr("early"))));
}

TEST_F(TelemetryTest, SendsLinesOfTcpOnePerRecord) {
  Subscription subscription = Of({TelemetryKind::kFunction});
  subscription.destination.protocol = TelemetryDestination::Protocol::kTcp;
  telemetry_.Subscribe("ext", subscription, TelemetryApi::kTelemetry);
  Line("one");
  Line("two");
  telemetry_.Flush();
  Poll();
  EXPECT_EQ(std::ranges::count(sender_.batches.at(0).body, '\n'), 2);
  EXPECT_EQ(sender_.batches[0].body.front(), '{');
}

TEST_F(TelemetryTest, SendsAFullBatchAtOnce) {
  Subscribe({TelemetryKind::kFunction});
  for (int i = 0; i < 1000; ++i) Line("x");
  Poll();
  EXPECT_THAT(sender_.batches, SizeIs(1));
  Line(std::string(200'000, 'y'));
  Line(std::string(100'000, 'z'));
  Poll();
  ASSERT_THAT(sender_.batches, SizeIs(2));
  EXPECT_LT(sender_.batches[1].body.size(), 262'144u);
}

TEST_F(TelemetryTest, SendsAJsonLineAsWhatItIs) {
  Subscribe({TelemetryKind::kFunction});
  telemetry_.EmitLine(TelemetryKind::kFunction, R"({"level":"INFO"})", LogFormat::kJson);
  telemetry_.EmitLine(TelemetryKind::kFunction, R"({"level":)", LogFormat::kJson);
  telemetry_.EmitLine(TelemetryKind::kFunction, R"({"level":1})", LogFormat::kText);
  telemetry_.Flush();
  Poll();
  EXPECT_THAT(sender_.all(), AllOf(HasSubstr(R"("record":{"level":"INFO"})"),
                                   HasSubstr(R"("record":"{\"level\":")"),
                                   HasSubstr(R"("record":"{\"level\":1}")")));
}

TEST_F(TelemetryTest, GivesAnOlderSchemaTheFormsOfItsTime) {
  telemetry_.Emit(
      TelemetryKind::kPlatform, "platform.initStart",
      boost::json::object{{"initializationType", "on-demand"}, {"functionName", "early"}});
  Subscription old = Of({TelemetryKind::kPlatform, TelemetryKind::kFunction});
  old.schema_version = "2022-07-01";
  old.destination.port = 1;
  telemetry_.Subscribe("old", old, TelemetryApi::kTelemetry);
  Subscribe({TelemetryKind::kPlatform, TelemetryKind::kFunction});
  telemetry_.Close();
  telemetry_.EmitLine(TelemetryKind::kFunction, R"({"a":1})", LogFormat::kJson);
  telemetry_.Emit(TelemetryKind::kPlatform, "platform.initReport",
                  boost::json::object{{"phase", "init"}, {"status", "success"}});
  telemetry_.Flush();
  Poll();
  ASSERT_THAT(sender_.batches, SizeIs(2));
  EXPECT_EQ(sender_.batches[0].destination.port, 1);
  EXPECT_THAT(
      sender_.batches[0].body,
      AllOf(HasSubstr(R"("record":{"initializationType":"on-demand"})"),
            HasSubstr(R"("record":"{\"a\":1}")"), HasSubstr(R"("record":{"phase":"init"})")));
  EXPECT_THAT(
      sender_.batches[1].body,
      AllOf(HasSubstr(R"("record":{"initializationType":"on-demand","functionName":"early"})"),
            HasSubstr(R"("record":{"a":1})"),
            HasSubstr(R"("record":{"phase":"init","status":"success"})")));
}

TEST_F(TelemetryTest, GivesTheLogsApiTheTypesThatItHas) {
  const auto emit = [&](std::string_view type) {
    telemetry_.Emit(TelemetryKind::kPlatform, type, boost::json::object{});
  };
  emit("platform.initStart");
  Subscribe({TelemetryKind::kPlatform});
  Subscription subscription = Of({TelemetryKind::kPlatform});
  subscription.destination.port = 1;
  for (const auto& [name, version] : {std::pair{"new", "2021-03-18"}, {"old", "2020-08-15"}}) {
    subscription.schema_version = version;
    telemetry_.Subscribe(name, subscription, TelemetryApi::kLogs);
    ++subscription.destination.port;
  }
  for (const char* type : {"platform.start", "platform.runtimeDone", "platform.end"}) emit(type);
  telemetry_.Flush();
  Poll();
  std::map<int, std::vector<std::string>> types;
  for (const auto& batch : sender_.batches) {
    const auto records = boost::json::parse(batch.body);
    for (const auto& record : records.as_array()) {
      types[batch.destination.port].emplace_back(record.at("type").as_string());
    }
  }
  EXPECT_THAT(types[8080], ElementsAre("platform.initStart", "platform.telemetrySubscription",
                                       "platform.start", "platform.runtimeDone"));
  EXPECT_THAT(types[1], ElementsAre("platform.logsSubscription", "platform.logsSubscription",
                                    "platform.start", "platform.runtimeDone", "platform.end"));
  EXPECT_THAT(types[2], ElementsAre("platform.logsSubscription", "platform.logsSubscription",
                                    "platform.start", "platform.end"));
}

TEST_F(TelemetryTest, DropsWhatASlowListenerDoesNotTakeAndSaysSo) {
  Subscribe({TelemetryKind::kFunction});
  sender_.held = std::make_shared<OneShot<bool>>();
  for (int i = 0; i < 3000; ++i) Line("x");
  Poll();
  EXPECT_THAT(sender_.batches, SizeIs(1));
  std::exchange(sender_.held, nullptr)->Set(true);
  Poll();
  ASSERT_THAT(sender_.batches, SizeIs(2));
  const auto records = boost::json::parse(sender_.batches[1].body).as_array();
  EXPECT_THAT(records, SizeIs(1001));
  EXPECT_EQ(records[0].at("type"), "platform.logsDropped");
  EXPECT_EQ(records[0].at("record").at("droppedRecords"), 1000);
  EXPECT_THAT(sender_.batches[1].body, HasSubstr("slower than the logs production rate"));
}

TEST_F(TelemetryTest, SendsARefusedBatchAgainEverLater) {
  Subscribe({TelemetryKind::kFunction});
  sender_.failures = 2;
  Line("one");
  telemetry_.Flush();
  Poll();
  Line("two");
  Advance(99ms);
  EXPECT_EQ(sender_.attempts, 1);
  Advance(1ms);
  EXPECT_EQ(sender_.attempts, 2);
  Advance(199ms);
  EXPECT_EQ(sender_.attempts, 2);
  Advance(1ms);
  EXPECT_EQ(sender_.attempts, 3);
  Advance(100ms);
  ASSERT_THAT(sender_.batches, SizeIs(2));
  EXPECT_THAT(sender_.batches[0].body, AllOf(HasSubstr("one"), Not(HasSubstr("two"))));
  EXPECT_THAT(sender_.batches[1].body, HasSubstr("two"));
  EXPECT_THAT(sender_.all(), Not(HasSubstr("platform.logsDropped")));
}

TEST_F(TelemetryTest, DropsABatchThatIsRefusedTooOftenAndSaysSoFirst) {
  Subscribe({TelemetryKind::kFunction});
  sender_.failures = 5;
  Line("lost");
  telemetry_.Flush();
  for (int i = 0; i < 20; ++i) Advance(100ms);
  EXPECT_EQ(sender_.attempts, 5);
  EXPECT_EQ(sender_.failures, 0);
  Line("next");
  Advance(100ms);
  ASSERT_THAT(sender_.batches, SizeIs(1));
  const auto records = boost::json::parse(sender_.batches[0].body).as_array();
  ASSERT_THAT(records, SizeIs(2));
  EXPECT_EQ(records[0].at("type"), "platform.logsDropped");
  EXPECT_EQ(records[0].at("record").at("droppedRecords"), 1);
  EXPECT_GT(records[0].at("record").at("droppedBytes").as_int64(), 4);
  EXPECT_EQ(records[0].at("record").at("reason"), "could not send events: connection refused");
  EXPECT_EQ(records[1].at("record"), "next");
}

TEST_F(TelemetryTest, CountsOnWhatItCouldNotTellEither) {
  Subscribe({TelemetryKind::kFunction});
  sender_.failures = 10;
  for (const char* line : {"first", "second"}) {
    Line(line);
    telemetry_.Flush();
    for (int i = 0; i < 20; ++i) Advance(100ms);
  }
  EXPECT_EQ(sender_.failures, 0);
  // At the end it is told even when nothing follows.
  telemetry_.Flush();
  Poll();
  ASSERT_THAT(sender_.batches, SizeIs(1));
  const auto records = boost::json::parse(sender_.batches[0].body).as_array();
  ASSERT_THAT(records, SizeIs(1));
  EXPECT_EQ(records[0].at("record").at("droppedRecords"), 2);
}

TEST_F(TelemetryTest, KeepsNoMoreThanABatchAndABufferWhileItIsRefused) {
  Subscribe({TelemetryKind::kFunction});
  sender_.failures = 1;
  for (int i = 0; i < 5000; ++i) Line("x");
  Poll();
  EXPECT_EQ(sender_.attempts, 1);
  Advance(100ms);
  ASSERT_THAT(sender_.batches, SizeIs(2));
  EXPECT_THAT(boost::json::parse(sender_.batches[0].body).as_array(), SizeIs(1000));
  const auto records = boost::json::parse(sender_.batches[1].body).as_array();
  EXPECT_THAT(records, SizeIs(1001));
  EXPECT_EQ(records[0].at("record").at("droppedRecords"), 3000);
}

TEST_F(TelemetryTest, TriesAtOnceWhenItIsToBeFlushed) {
  Subscribe({TelemetryKind::kFunction});
  sender_.failures = 1;
  Line("one");
  telemetry_.Flush();
  Poll();
  telemetry_.Flush();
  Poll();
  EXPECT_THAT(sender_.batches, SizeIs(1));
  Advance(1s);
  EXPECT_THAT(sender_.batches, SizeIs(1));
}

TEST_F(TelemetryTest, ForgetsARefusedBatchWithItsSubscriber) {
  Subscribe({TelemetryKind::kFunction});
  sender_.failures = 1;
  Line("old");
  telemetry_.Flush();
  Poll();
  telemetry_.Begin(Telemetry::Early::kDropped);
  Advance(1s);
  EXPECT_EQ(sender_.attempts, 1);
}

TEST_F(TelemetryTest, ForgetsItsSubscribersWhenItBeginsAnew) {
  Subscribe({TelemetryKind::kFunction});
  Line("old");
  telemetry_.Begin(Telemetry::Early::kDropped);
  EXPECT_FALSE(telemetry_.wanted());
  Advance(1s);
  EXPECT_THAT(sender_.batches, IsEmpty());
}

}  // namespace
}  // namespace kelvin::service
