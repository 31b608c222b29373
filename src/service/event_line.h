#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "service/function_record.h"
#include "service/one_shot.h"
#include "service/timers.h"

namespace kelvin::service {

// Events that their function's concurrency does not let run yet: a line for each function, in the
// order in which they came. When a place frees, the one that came first of those that could run
// goes on; the others stay asleep. Used from the executor's thread.
class EventLine {
 public:
  // Whether no event of that function could run now.
  using Throttles = std::function<bool(std::string_view function)>;

  // The timers outlive the object.
  EventLine(Timers& timers, Throttles throttles);
  EventLine(const EventLine&) = delete;
  EventLine& operator=(const EventLine&) = delete;

  // Where an event stands, from its arrival on until Leave.
  struct Spot {
    std::string function;
    std::uint64_t number = 0;
  };
  Spot Arrive(std::string_view function);
  // Nobody who waits for the same function came before.
  bool IsFirst(const Spot& spot) const;
  // Comes back when it may be its turn, after `most`, or when the line is stopped.
  boost::asio::awaitable<void> Wait(const Spot& spot, std::chrono::milliseconds most);
  // It runs, or never will: the next may.
  void Leave(const Spot& spot);

  // A place may have become free.
  void MoveUp();
  // Nobody waits from now on.
  void Stop();
  std::size_t waiting() const { return waiting_; }

 private:
  using Wake = OneShot<bool>;
  // By number, of those who have waited; null for one that is awake and has its turn.
  using Line = std::map<std::uint64_t, std::shared_ptr<Wake>>;

  Timers& timers_;
  Throttles throttles_;
  std::uint64_t last_number_ = 0;
  std::size_t waiting_ = 0;
  bool stopped_ = false;
  ByName<Line> lines_;
};

}  // namespace kelvin::service
