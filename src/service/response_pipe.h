#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "service/one_shot.h"

namespace kelvin::service {

// Largest streamed response, in bytes.
inline constexpr std::size_t kMaxStreamedBytes = std::size_t{200} << 20;

// A response on its way, in pieces, from a runtime to a caller. Holds little: a runtime that is
// faster than the caller waits. Used from one thread; both ends share it.
class ResponsePipe {
 public:
  // Of the runtime's end. Waits while the caller has much to take in still; then gives false when
  // the caller has gone, or when the pipe is finished.
  boost::asio::awaitable<bool> Push(const std::string& piece);
  // Nothing more comes. The caller sees what was pushed before.
  void Finish();

  // Of the caller's end. Waits for the next piece; nothing at the end.
  boost::asio::awaitable<std::optional<std::string>> Pull();
  // The caller takes no more.
  void Abandon();

  // Whether the runtime streams: set with its first byte, before that or the end Pull waits.
  bool begun = false;
  std::string content_type;  // as the runtime gave it

 private:
  using Wake = std::shared_ptr<OneShot<bool>>;
  static void WakeUp(Wake& wake);

  std::string held_;
  bool finished_ = false;
  bool abandoned_ = false;
  Wake pusher_;
  Wake puller_;
};

}  // namespace kelvin::service
