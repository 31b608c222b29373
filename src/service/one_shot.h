#pragma once

#include <functional>
#include <optional>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace kelvin::service {

// One value that at most one coroutine waits for. The waiter goes on in a later turn of its
// executor, never within Set, so that whoever sets it may finish what it is doing. Whoever promises
// a value must set one in the end: a waiter that shares the object keeps itself alive until then.
// Used from one thread.
template <typename T>
class OneShot {
 public:
  // The first value counts; later ones are ignored.
  void Set(T value) {
    if (std::exchange(set_, true)) return;
    if (!handler_) {
      value_ = std::move(value);
      return;
    }
    boost::asio::post(executor_,
                      [handler = std::move(handler_), value = std::move(value)]() mutable {
                        handler(std::move(value));
                      });
  }

  bool is_set() const { return set_; }

  boost::asio::awaitable<T> Wait() {
    if (value_) co_return std::move(*value_);
    executor_ = co_await boost::asio::this_coro::executor;
    co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(T)>(
        [this](auto handler) { handler_ = std::move(handler); }, boost::asio::use_awaitable);
  }

 private:
  bool set_ = false;
  std::optional<T> value_;
  boost::asio::any_io_executor executor_;
  std::move_only_function<void(T)> handler_;
};

}  // namespace kelvin::service
