#include "service/event_line.h"

#include <utility>

namespace kelvin::service {

EventLine::EventLine(Timers& timers, Throttles throttles)
    : timers_(timers), throttles_(std::move(throttles)) {}

EventLine::Spot EventLine::Arrive(std::string_view function) {
  return {std::string(function), ++last_number_};
}

bool EventLine::IsFirst(const Spot& spot) const {
  const auto line = lines_.find(spot.function);
  return line == lines_.end() || line->second.begin()->first >= spot.number;
}

boost::asio::awaitable<void> EventLine::Wait(const Spot& spot, std::chrono::milliseconds most) {
  if (stopped_) co_return;
  const auto wake = std::make_shared<Wake>();
  lines_[spot.function][spot.number] = wake;
  auto timer = timers_.After(most, [weak = std::weak_ptr(wake)] {
    if (const auto due = weak.lock()) due->Set(true);
  });
  // A place that this one could not take may do for another function.
  MoveUp();
  ++waiting_;
  co_await wake->Wait();
  --waiting_;
  timers_.Cancel(timer);
  lines_[spot.function][spot.number] = nullptr;
}

void EventLine::Leave(const Spot& spot) {
  if (const auto line = lines_.find(spot.function); line != lines_.end()) {
    line->second.erase(spot.number);
    if (line->second.empty()) lines_.erase(line);
  }
  MoveUp();
}

void EventLine::MoveUp() {
  std::uint64_t number = 0;
  Wake* next = nullptr;
  for (const auto& [function, line] : lines_) {
    const auto& [first, wake] = *line.begin();
    const bool has_its_turn = !wake || wake->is_set();
    if (has_its_turn || (next != nullptr && first > number) || throttles_(function)) continue;
    number = first;
    next = wake.get();
  }
  if (next != nullptr) next->Set(true);
}

void EventLine::Stop() {
  stopped_ = true;
  for (const auto& [function, line] : lines_) {
    for (const auto& [number, wake] : line) {
      if (wake) wake->Set(false);
    }
  }
}

}  // namespace kelvin::service
