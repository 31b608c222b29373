#pragma once

#include <functional>
#include <mutex>
#include <thread>

#include "base/error.h"

namespace kelvin::runtime {

// Turns SIGTERM into a call on a thread of its own, which waits until no invocation runs.
class ShutdownHook {
 public:
  // With an empty callback nothing is started: SIGTERM ends the process as usual. Blocks SIGTERM in
  // the calling thread and those that it starts later, so call it before there are others.
  explicit ShutdownHook(std::function<void()> callback);
  ShutdownHook(const ShutdownHook&) = delete;
  ShutdownHook& operator=(const ShutdownHook&) = delete;
  ~ShutdownHook();

  // Held by the loop while an invocation runs.
  std::mutex& busy() { return busy_; }

 private:
  void Wait();

  std::function<void()> callback_;
  std::mutex busy_;
  std::thread thread_;
};

}  // namespace kelvin::runtime
