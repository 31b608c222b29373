#pragma once

#include <functional>
#include <memory>

namespace kelvin::cli {

// While it lives, the first SIGINT or SIGTERM is noted and told; the second ends the process at
// once with kExitInterrupted. Starts a thread: make sandboxes before it.
class InterruptWatch {
 public:
  // Both run on the watch's own thread, `before_exit` when the second signal came. May be empty.
  explicit InterruptWatch(std::function<void()> on_first, std::function<void()> before_exit = {});
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;
  ~InterruptWatch();

  bool requested() const;  // thread-safe

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kelvin::cli
