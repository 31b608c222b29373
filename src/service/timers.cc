#include "service/timers.h"

namespace kelvin::service {

Timers::Timers(const boost::asio::any_io_executor& executor, const Clock& clock)
    : clock_(clock), timer_(executor), self_(std::make_shared<Timers*>(this)) {}

Timers::Id Timers::At(Clock::TimePoint at, std::function<void()> callback) {
  const Id id{at, ++last_number_};
  callbacks_.emplace(Key{at, id.number}, std::move(callback));
  if (at < armed_for_) Arm();
  return id;
}

Timers::Id Timers::After(Clock::TimePoint::duration delay, std::function<void()> callback) {
  return At(clock_.Now() + delay, std::move(callback));
}

void Timers::Cancel(Id& id) {
  if (id.number != 0) callbacks_.erase(Key{id.at, id.number});
  id = {};
}

void Timers::RunDue() {
  const auto now = clock_.Now();
  // Looked up anew each time: a callback may set and cancel others.
  while (!callbacks_.empty() && callbacks_.begin()->first.first <= now) {
    const auto due = callbacks_.extract(callbacks_.begin());
    due.mapped()();
  }
}

void Timers::Arm() {
  armed_for_ = callbacks_.begin()->first.first;
  timer_.expires_after(armed_for_ - clock_.Now());
  timer_.async_wait([weak = std::weak_ptr(self_)](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (error || !self) return;
    Timers& timers = **self;
    timers.armed_for_ = Clock::TimePoint::max();
    timers.RunDue();
    if (!timers.callbacks_.empty() && timers.callbacks_.begin()->first.first < timers.armed_for_) {
      timers.Arm();
    }
  });
}

}  // namespace kelvin::service
