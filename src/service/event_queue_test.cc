#include "service/event_queue.h"

#include <filesystem>

#include <boost/asio/thread_pool.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/scheduler_fixture.h"

namespace kelvin::service {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

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
  void Accept() {
    StoredEvent event;
    event.request_id = "id";
    event.function = "f";
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
  bool IsStored() const {
    return std::filesystem::exists(folder_.path() / "state" / "events" / "id.json");
  }
  void FailEvent(const Answer& next) {
    EXPECT_EQ((*next)->headers.Get("Lambda-Runtime-Aws-Request-Id"), "id");
    Call(0, "POST", "invocation/id/error", "{}");
  }

  // As SchedulerFixture's, and known to the queue.
  void Configure(EventInvokeConfig config = {}, std::string dead_letter_arn = {}) {
    FunctionRecord record;
    record.latest = config_;
    record.latest.name = "f";
    record.latest.dead_letter_arn = std::move(dead_letter_arn);
    record.event_invoke["$LATEST"] = std::move(config);
    registry_.Put(std::make_shared<const FunctionRecord>(std::move(record)));
    SchedulerFixture::Configure();
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

TEST_F(EventQueueTest, DropsEventsOfDeletedFunctions) {
  Accept();
  RunUntil([&] { return queue_->idle(); });
  EXPECT_FALSE(IsStored());
  EXPECT_THAT(logged_, HasSubstr("event id is dropped"));
}

}  // namespace
}  // namespace kelvin::service
