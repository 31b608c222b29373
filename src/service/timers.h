#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/clock.h"

namespace kelvin::service {

// Callbacks at points in time, cheap to set and to cancel: most are cancelled long before they are
// due, so the one timer of the operating system is only moved when it would fire too late.
// Used from the executor's thread.
class Timers {
 public:
  // Names one callback; a default one names none.
  struct Id {
    Clock::TimePoint at{};
    std::uint64_t number = 0;
  };

  Timers(const boost::asio::any_io_executor& executor,
         const Clock& clock);  // the clock outlives it
  Timers(const Timers&) = delete;
  Timers& operator=(const Timers&) = delete;

  // Runs `callback` once, at `at` or soon after.
  Id At(Clock::TimePoint at, std::function<void()> callback);
  Id After(Clock::TimePoint::duration delay, std::function<void()> callback);
  // Forgets the callback, if it has not run yet, and clears `id`.
  void Cancel(Id& id);

  // Runs what is due by the clock now; called by the operating system's timer, and by tests that
  // move a fake clock.
  void RunDue();

 private:
  using Key = std::pair<Clock::TimePoint, std::uint64_t>;
  void Arm();

  const Clock& clock_;
  boost::asio::steady_timer timer_;
  Clock::TimePoint armed_for_ = Clock::TimePoint::max();
  std::uint64_t last_number_ = 0;
  std::map<Key, std::function<void()>> callbacks_;
  // Lets the timer's handler see that this object is gone.
  std::shared_ptr<Timers*> self_;
};

}  // namespace kelvin::service
