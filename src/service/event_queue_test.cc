#include "service/event_queue.h"

#include <filesystem>

#include <boost/asio/thread_pool.hpp>
#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/destinations.h"
#include "service/scheduler_fixture.h"

namespace kelvin::service {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

class EventQueueTest : public SchedulerFixture {
 protected:
  EventQueueTest() {
    store_.emplace(FunctionStore::Open(folder_.path() / "state").value());
    queue_.emplace(EventQueue::Parts{.executor = context_.get_executor(),
                                     .store = *store_,
                                     .workers = workers_,
                                     .registry = registry_,
                                     .scheduler = *scheduler_,
                                     .timers = *timers_,
                                     .clock = clock_,
                                     .random = random_,
                                     .log = log_,
                                     .place = options_.place},
                   std::vector<std::chrono::milliseconds>{1min, 2min});
  }
  ~EventQueueTest() override {
    queue_->Stop();
    scheduler_->Kill();
    RunUntil([&] { return queue_->idle(); });
    workers_.join();
  }

  // Work goes to another thread and comes back.
  template <typename Condition>
  void RunUntil(Condition&& condition) {
    while (!condition()) {
      Poll();
      std::this_thread::yield();
    }
  }
  void Accept(std::string id = "id", std::string function = "f") {
    StoredEvent event;
    event.request_id = std::move(id);
    event.function = std::move(function);
    event.payload = "{}";
    bool accepted = false;
    boost::asio::co_spawn(
        context_,
        [](EventQueue& queue, StoredEvent stored, bool& done) -> boost::asio::awaitable<void> {
          const auto result = co_await queue.Accept(std::move(stored));
          done = result.has_value();
        }(*queue_, std::move(event), accepted),
        boost::asio::detached);
    RunUntil([&] { return accepted; });
    Poll();
  }
  bool IsStored(const std::string& id = "id") const {
    return std::filesystem::exists(folder_.path() / "state" / "events" / (id + ".json"));
  }
  static std::string IdOf(const Answer& next) {
    if (!next->has_value()) return "nothing";
    return std::string((*next)->headers.Get("Lambda-Runtime-Aws-Request-Id"));
  }
  void FailEvent(const Answer& next, std::size_t environment = 0) {
    EXPECT_EQ((*next)->headers.Get("Lambda-Runtime-Aws-Request-Id"), "id");
    Call(environment, "POST", "invocation/id/error", "{}");
  }

  // As SchedulerFixture's, and known to the queue.
  void Configure(EventInvokeConfig config = {}, std::string dead_letter_arn = {},
                 std::string name = "f") {
    FunctionRecord record;
    record.latest = config_;
    record.latest.name = name;
    record.latest.dead_letter_arn = std::move(dead_letter_arn);
    record.event_invoke["$LATEST"] = std::move(config);
    registry_.Put(std::make_shared<const FunctionRecord>(std::move(record)));
    SchedulerFixture::Configure(name);
  }

  FunctionRegistry registry_;
  boost::asio::thread_pool workers_{1};
  std::optional<FunctionStore> store_;
  std::optional<EventQueue> queue_;
};

TEST_F(EventQueueTest, StoresAnEventUntilItsFunctionHasDoneWithIt) {
  Configure();
  Accept();
  EXPECT_TRUE(IsStored());
  Respond(0, Next(0), "{}");
  RunUntil([&] { return queue_->idle(); });
  EXPECT_FALSE(IsStored());
}

TEST_F(EventQueueTest, TriesThreeTimesWithTheSameRequestId) {
  Configure();
  Accept();
  auto next = Next(0);
  for (const auto delay : {1min, 2min}) {
    FailEvent(next);
    next = Next(0);
    RunUntil([&] { return queue_->waiting() == 1; });
    EXPECT_FALSE(next->has_value());
    Advance(delay);
    RunUntil([&] { return next->has_value(); });
  }
  FailEvent(next);
  RunUntil([&] { return queue_->idle(); });
  EXPECT_THAT(logged_, HasSubstr("failed for the last time"));
  EXPECT_FALSE(IsStored());
}

TEST_F(EventQueueTest, LeavesOnTheDiskWhatItCouldNotDoBeforeItStopped) {
  Configure();
  Accept();
  queue_->Stop();
  scheduler_->Kill();
  RunUntil([&] { return queue_->idle(); });
  EXPECT_TRUE(IsStored());
}

TEST_F(EventQueueTest, GoesOnAfterARestart) {
  Configure();
  StoredEvent event;
  event.request_id = "id";
  event.function = "f";
  event.accepted_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(clock_.WallNow().time_since_epoch())
          .count();
  queue_->Resume(event);
  Poll();
  const auto next = Next(0);
  EXPECT_EQ((*next)->headers.Get("Lambda-Runtime-Aws-Request-Id"), "id");
}

TEST_F(EventQueueTest, RunsThrottledEventsAsPlacesFreeInTheirOrder) {
  Configure();
  scheduler_->SetReserved("f", 1);
  for (const char* id : {"a", "b", "c", "d"}) Accept(id);
  EXPECT_EQ(queue_->waiting(), 3);
  auto next = Next(0);
  for (const char* id : {"a", "b", "c", "d"}) {
    ASSERT_EQ(IdOf(next), id);
    Respond(0, next, "{}");
    next = Next(0);
  }
  EXPECT_EQ(sandboxes_.ids().size(), 1);
  RunUntil([&] { return queue_->idle(); });
  EXPECT_FALSE(IsStored("d"));
}

TEST_F(EventQueueTest, GivesAFreePlaceToWhoCameFirstOfTheFunctionsThatMayHaveIt) {
  for (const char* name : {"f", "g", "h"}) Configure({}, {}, name);
  scheduler_->SetReserved("h", 1);
  // Of the account's three places one is reserved.
  for (const char* id : {"f1", "f2", "f3"}) Accept(id, "f");
  for (const char* id : {"g1", "g2"}) Accept(id, "g");
  Accept("f4", "f");
  for (const char* id : {"h1", "h2"}) Accept(id, "h");
  EXPECT_EQ(queue_->waiting(), 5);
  const auto first = Next(0);
  EXPECT_EQ(IdOf(first), "f1");
  EXPECT_EQ(IdOf(Next(1)), "f2");
  EXPECT_EQ(IdOf(Next(2)), "h1");
  Respond(0, first, "{}");
  const auto third = Next(0);
  EXPECT_EQ(IdOf(third), "f3");
  Respond(0, third, "{}");
  EXPECT_EQ(IdOf(Next(0)), "nothing");
  EXPECT_EQ(IdOf(Next(3)), "g1");
  EXPECT_EQ(queue_->waiting(), 3);
}

TEST_F(EventQueueTest, KeepsItsTurnWhenAnotherTakesThePlace) {
  Configure();
  scheduler_->SetReserved("f", 1);
  Accept("a");
  Accept("b");
  Accept("c");
  const auto first = Next(0);
  // Whoever is told of the free place comes too late for it.
  const std::string id = IdOf(first);
  const auto taken = std::make_shared<Invocation>();
  taken->event = std::make_shared<RuntimeEvent>();
  taken->event->request_id = "direct";
  bool told = false;
  scheduler_->TellOfPlaces([&] {
    if (std::exchange(told, true)) return;
    EXPECT_TRUE(scheduler_->Submit("f", "$LATEST", taken));
  });
  Respond(0, first, "{}");
  auto next = Next(0);
  EXPECT_EQ(IdOf(next), "direct");
  Respond(0, next, "{}");
  next = Next(0);
  // Nobody has told it: it looks for itself, but no other comes before it.
  EXPECT_EQ(IdOf(next), "nothing");
  Advance(1s);
  EXPECT_EQ(IdOf(next), "b");
  scheduler_->TellOfPlaces({});
}

TEST_F(EventQueueTest, RunsWhatWaitsWhenItsFunctionGetsMorePlaces) {
  Configure();
  scheduler_->SetReserved("f", 1);
  Accept("a");
  Accept("b");
  scheduler_->SetReserved("f", 2);
  Poll();
  EXPECT_EQ(IdOf(Next(0)), "a");
  EXPECT_EQ(IdOf(Next(1)), "b");
}

TEST_F(EventQueueTest, GivesUpAThrottledEventWhenItIsTooOld) {
  EventInvokeConfig config;
  config.max_age_seconds = 60;
  Configure(config);
  scheduler_->SetReserved("f", 1);
  Accept("a");
  Accept("b");
  Advance(60s);
  EXPECT_THAT(logged_, Not(HasSubstr("too old")));
  Advance(1ms);
  EXPECT_THAT(logged_, HasSubstr("event b of function f is dropped: too old"));
  RunUntil([&] { return !IsStored("b"); });
}

TEST_F(EventQueueTest, DoesNotWaitForAnAttemptThatWouldComeTooLate) {
  EventInvokeConfig config;
  config.max_age_seconds = 60;
  config.on_failure = "arn:aws:sqs:us-east-1:123456789012:q";
  Configure(config, "arn:aws:sqs:us-east-1:123456789012:dead");
  Accept();
  const auto next = Next(0);
  Advance(2ms);
  Call(0, "POST", "invocation/id/error", R"({"errorMessage":"no","errorType":"Broken"})");
  RunUntil([&] { return queue_->idle(); });
  const auto read = [&](std::string_view arn) {
    return boost::json::parse(
        ReadFile(DestinationFile(folder_.path() / "state" / "logs", arn)).value());
  };
  const auto record = read(config.on_failure);
  EXPECT_EQ(record.at("requestContext").at("condition").as_string(), "EventAgeExceeded");
  EXPECT_EQ(record.at("requestContext").at("approximateInvokeCount").as_int64(), 1);
  EXPECT_EQ(record.at("responsePayload").at("errorType").as_string(), "Broken");
  const auto dead = read("arn:aws:sqs:us-east-1:123456789012:dead");
  EXPECT_EQ(dead.at("messageAttributes").at("ErrorMessage").as_string(), "no");
}

TEST_F(EventQueueTest, SendsEventsOfAFunctionWithoutPlacesToTheirDestinationAtOnce) {
  EventInvokeConfig config;
  config.on_failure = "arn:aws:sqs:us-east-1:123456789012:q";
  Configure(config);
  auto record = *registry_.Find("f");
  record.reserved_concurrency = 0;
  registry_.Put(std::make_shared<const FunctionRecord>(record));
  Accept();
  RunUntil([&] { return queue_->idle(); });
  const auto file = DestinationFile(folder_.path() / "state" / "logs", config.on_failure);
  EXPECT_THAT(ReadFile(file).value(), HasSubstr(R"("condition":"ZeroReservedConcurrency")"));
}

TEST_F(EventQueueTest, TriesWhatTheServiceCouldNotRunAgainWithoutCountingIt) {
  Configure();
  for (int i = 1; i <= 4; ++i) sandboxes_.FailCreate(i, {ErrorCode::kUnavailable, "no room"});
  Accept();
  RunUntil([&] { return queue_->waiting() == 1; });
  for (const auto delay : {1s, 2s, 4s}) {
    Advance(delay - 1ms);
    EXPECT_EQ(sandboxes_.ids().size(), 0);
    Advance(1ms);
    RunUntil([&] { return queue_->waiting() == 1; });
  }
  Advance(8s);
  const auto next = Next(4);
  FailEvent(next, 4);
  EXPECT_THAT(logged_, HasSubstr("event id of function f failed, and will be tried again"));
  EXPECT_THAT(logged_, Not(HasSubstr("for the last time")));
}

TEST_F(EventQueueTest, LeavesWhatWaitsInLineOnTheDiskWhenItStops) {
  Configure();
  scheduler_->SetReserved("f", 1);
  Accept("a");
  Accept("b");
  queue_->Stop();
  scheduler_->Kill();
  RunUntil([&] { return queue_->idle(); });
  EXPECT_TRUE(IsStored("b"));
}

TEST_F(EventQueueTest, DropsEventsOfDeletedFunctions) {
  Accept();
  RunUntil([&] { return queue_->idle(); });
  EXPECT_FALSE(IsStored());
  EXPECT_THAT(logged_, HasSubstr("event id is dropped"));
}

}  // namespace
}  // namespace kelvin::service
