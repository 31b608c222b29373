#include "cli/interrupt.h"

#include <atomic>
#include <csignal>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <unistd.h>

#include "cli/exit_code.h"

namespace kelvin::cli {

class InterruptWatch::Impl {
 public:
  Impl(std::function<void()> on_first, std::function<void()> before_exit)
      : on_first_(std::move(on_first)), before_exit_(std::move(before_exit)) {
    Wait();
    thread_ = std::jthread([this] { context_.run(); });
  }
  ~Impl() { context_.stop(); }

  bool requested() const { return requested_; }

 private:
  void Wait() {
    signals_.async_wait([this](const boost::system::error_code& error, int) {
      if (error) return;
      if (requested_.exchange(true)) {
        if (before_exit_) before_exit_();
        ::_exit(kExitInterrupted);
      }
      if (on_first_) on_first_();
      Wait();
    });
  }

  std::function<void()> on_first_;
  std::function<void()> before_exit_;
  std::atomic<bool> requested_{false};
  boost::asio::io_context context_{1};
  boost::asio::signal_set signals_{context_, SIGINT, SIGTERM};
  std::jthread thread_;  // last: it ends before what it uses does
};

InterruptWatch::InterruptWatch(std::function<void()> on_first, std::function<void()> before_exit)
    : impl_(std::make_unique<Impl>(std::move(on_first), std::move(before_exit))) {}

InterruptWatch::~InterruptWatch() = default;

bool InterruptWatch::requested() const {
  return impl_->requested();
}

}  // namespace kelvin::cli
