#pragma once

#include <chrono>
#include <expected>
#include <memory>
#include <set>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include "base/clock.h"
#include "base/log.h"
#include "service/function_store.h"
#include "service/scheduler.h"
#include "service/timers.h"

namespace kelvin::service {

// Events that were accepted for later: each is on the disk before its caller is told, and stays
// there until its function has done with it, failed for the last time, or is deleted. After a
// restart they go on; an event may then run twice, as on AWS. Used from the executor's thread.
class EventQueue {
 public:
  struct Parts {  // all outlive the object
    boost::asio::any_io_executor executor;
    FunctionStore& store;
    boost::asio::thread_pool& workers;
    Scheduler& scheduler;
    Timers& timers;
    const Clock& clock;
    Log& log;
    const Place& place;
  };
  // `retry_delays`: how long to wait before the second, third... attempt.
  EventQueue(const Parts& parts, std::vector<std::chrono::milliseconds> retry_delays);
  EventQueue(const EventQueue&) = delete;
  EventQueue& operator=(const EventQueue&) = delete;
  ~EventQueue();

  // Stores the event and starts working on it.
  boost::asio::awaitable<std::expected<void, Error>> Accept(StoredEvent event);
  // Goes on with an event that is stored already.
  void Resume(StoredEvent event);

  // Begins no further attempt. What is left stays stored.
  void Stop();
  // No event is being worked on.
  bool idle() const { return active_ == 0; }
  // Events that wait for their next attempt.
  std::size_t waiting() const { return sleeping_.size(); }

 private:
  enum class Next { kDone, kRetry, kStopped };
  using Wake = OneShot<bool>;

  boost::asio::awaitable<void> Process(StoredEvent event);
  boost::asio::awaitable<Next> Attempt(StoredEvent& event);
  boost::asio::awaitable<void> Sleep(std::chrono::milliseconds time);
  bool IsTooOld(const StoredEvent& event) const;

  Parts parts_;
  std::vector<std::chrono::milliseconds> retry_delays_;
  std::set<std::shared_ptr<Wake>> sleeping_;
  int active_ = 0;
  bool stopping_ = false;
};

}  // namespace kelvin::service
