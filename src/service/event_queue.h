#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include "base/clock.h"
#include "base/ids.h"
#include "base/log.h"
#include "service/destinations.h"
#include "service/event_line.h"
#include "service/function_registry.h"
#include "service/function_store.h"
#include "service/scheduler.h"
#include "service/timers.h"

namespace kelvin::service {

// Events that were accepted for later: each is on the disk before its caller is told, and stays
// there until its function has done with it, failed for the last time, or is deleted, and its
// destination has what it is to have. After a restart they go on; an event may then run twice, as
// on AWS. How often and how long one is tried is the function's to say (EventInvokeConfig).
//
// What the concurrency of a function, or of the account, does not let run waits in line for a place
// (EventLine); what the service itself cannot run is tried again ever later, from 1 s to 5 minutes.
// Neither counts as an attempt.
//
// Destinations and dead-letter targets that are functions are invoked asynchronously; for any
// other, a line is added to a file (DestinationFile). Used from the executor's thread.
class EventQueue {
 public:
  struct Parts {  // all outlive the object
    boost::asio::any_io_executor executor;
    FunctionStore& store;
    boost::asio::thread_pool& workers;
    const FunctionRegistry& registry;
    Scheduler& scheduler;
    Timers& timers;
    const Clock& clock;
    Random& random;
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
  std::size_t waiting() const { return sleeping_.size() + line_.waiting(); }
  // Events that are not done with, by function; functions without any are left out.
  const std::map<std::string, std::size_t, std::less<>>& depths() const { return depths_; }

 private:
  using Wake = OneShot<bool>;
  enum class Turn { kNotYet, kNow };

  // What becomes of one attempt.
  struct Attempted {
    enum class Next { kEnd, kRetry, kDefer, kForget, kStopped } next = Next::kForget;
    EventEnd end = {};  // with kEnd, and with kRetry the end it would be
  };
  // What became of an attempt before it began; nothing when it has.
  using Refused = std::optional<Attempted>;
  struct Begun {
    Refused refused;
    std::string version;
  };

  boost::asio::awaitable<void> Process(StoredEvent event);
  boost::asio::awaitable<Attempted> Attempt(StoredEvent& event);
  boost::asio::awaitable<Begun> Begin(const StoredEvent& event,
                                      const std::shared_ptr<Invocation>& invocation);
  // Nothing when it is throttled, or not its turn.
  std::optional<Begun> TryToBegin(const StoredEvent& event,
                                  const std::shared_ptr<Invocation>& invocation, Turn turn);
  Attempted Judge(StoredEvent& event, InvokeOutcome outcome, const std::string& version) const;
  boost::asio::awaitable<void> Forget(const StoredEvent& event);
  boost::asio::awaitable<void> Finish(const StoredEvent& event, const EventEnd& end);
  // To a function, or to the file that stands for what is none.
  boost::asio::awaitable<void> Send(const StoredEvent& event, const std::string& arn,
                                    const std::string& payload, const std::string& line);
  boost::asio::awaitable<void> Sleep(std::chrono::milliseconds time);
  EventInvokeConfig ConfigOf(const StoredEvent& event) const;
  std::size_t MostAttempts(const StoredEvent& event) const;
  // Between the attempt that was made last and the next.
  std::chrono::milliseconds RetryDelay(const StoredEvent& event) const;
  // Zero for one that is too old.
  std::chrono::milliseconds TimeLeft(const StoredEvent& event) const;

  Parts parts_;
  std::vector<std::chrono::milliseconds> retry_delays_;
  EventLine line_;
  std::set<std::shared_ptr<Wake>> sleeping_;
  int active_ = 0;
  std::map<std::string, std::size_t, std::less<>> depths_;
  bool stopping_ = false;
};

}  // namespace kelvin::service
