#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <expected>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "tables/store.h"

namespace kelvin::tables {

// Deletes the items whose time to live has passed, and forgets what was kept for ten minutes only.
// Returns how many items left.
std::expected<std::size_t, Error> RemoveExpired(Store& store, Clock::WallTime now);

// Does that in the background, every second. Its parts outlive it.
class ExpiryThread {
 public:
  ExpiryThread(Store& store, const Clock& clock, Log& log);
  ExpiryThread(const ExpiryThread&) = delete;
  ExpiryThread& operator=(const ExpiryThread&) = delete;
  ~ExpiryThread();  // waits for the pass that runs

 private:
  void Run();

  Store& store_;
  const Clock& clock_;
  Log& log_;
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace kelvin::tables
