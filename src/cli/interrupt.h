#pragma once

#include <functional>
#include <memory>

namespace kelvin::cli {

// While it lives, the first SIGINT or SIGTERM is noted and told; the second ends the process at
// once with kExitInterrupted. Starts a thread: make sandboxes before it.
class InterruptWatch {
 public:
  // `on_first` runs on the watch's own thread. May be empty.
  explicit InterruptWatch(std::function<void()> on_first);
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;
  ~InterruptWatch();

  bool requested() const;  // thread-safe

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kelvin::cli
