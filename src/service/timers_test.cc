#include "service/timers.h"

#include <vector>

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fake_clock.h"

namespace kelvin::service {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class TimersTest : public ::testing::Test {
 protected:
  std::function<void()> Note(int number) {
    return [this, number] { ran_.push_back(number); };
  }
  boost::asio::io_context context_;
  FakeClock clock_;
  Timers timers_{context_.get_executor(), clock_};
  std::vector<int> ran_;
};

TEST_F(TimersTest, RunsWhatIsDueInOrder) {
  timers_.After(2s, Note(2));
  timers_.After(1s, Note(1));
  timers_.After(3s, Note(3));
  timers_.RunDue();
  EXPECT_THAT(ran_, IsEmpty());
  clock_.Advance(2s);
  timers_.RunDue();
  EXPECT_THAT(ran_, ElementsAre(1, 2));
}

TEST_F(TimersTest, ForgetsWhatIsCancelled) {
  auto first = timers_.After(1s, Note(1));
  timers_.After(1s, Note(2));
  timers_.Cancel(first);
  timers_.Cancel(first);
  clock_.Advance(1s);
  timers_.RunDue();
  EXPECT_THAT(ran_, ElementsAre(2));
}

TEST_F(TimersTest, LetsACallbackCancelAnotherThatIsDue) {
  Timers::Id second;
  timers_.After(1s, [&] { timers_.Cancel(second); });
  second = timers_.After(2s, Note(2));
  clock_.Advance(5s);
  timers_.RunDue();
  EXPECT_THAT(ran_, IsEmpty());
}

TEST_F(TimersTest, FiresByItselfOnARealClock) {
  const SystemClock clock;
  Timers timers(context_.get_executor(), clock);
  timers.After(1h, Note(2));
  timers.After(1ms, [&] {
    Note(1)();
    context_.stop();
  });
  context_.run();
  EXPECT_THAT(ran_, ElementsAre(1));
}

}  // namespace
}  // namespace kelvin::service
