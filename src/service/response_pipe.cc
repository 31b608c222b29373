#include "service/response_pipe.h"

#include <utility>

namespace kelvin::service {

using boost::asio::awaitable;

namespace {

constexpr std::size_t kMostHeld = 64 * 1024;

}  // namespace

void ResponsePipe::WakeUp(Wake& wake) {
  if (const auto waiting = std::exchange(wake, nullptr)) waiting->Set(true);
}

awaitable<bool> ResponsePipe::Push(const std::string& piece) {
  while (held_.size() >= kMostHeld && !finished_ && !abandoned_) {
    const auto wake = std::make_shared<OneShot<bool>>();
    pusher_ = wake;
    co_await wake->Wait();
  }
  if (finished_ || abandoned_) co_return false;
  held_ += piece;
  WakeUp(puller_);
  co_return true;
}

void ResponsePipe::Finish() {
  finished_ = true;
  WakeUp(puller_);
  WakeUp(pusher_);
}

awaitable<std::optional<std::string>> ResponsePipe::Pull() {
  while (held_.empty() && !finished_ && !abandoned_) {
    const auto wake = std::make_shared<OneShot<bool>>();
    puller_ = wake;
    co_await wake->Wait();
  }
  std::optional<std::string> piece;
  if (!held_.empty()) piece = std::exchange(held_, {});
  WakeUp(pusher_);
  co_return piece;
}

void ResponsePipe::Abandon() {
  abandoned_ = true;
  held_.clear();
  WakeUp(pusher_);
  WakeUp(puller_);
}

}  // namespace kelvin::service
