#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <memory>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "base/error.h"
#include "base/log.h"
#include "http/message.h"

namespace kelvin::http {

// Answers one request. Runs on the server's executor, and may take as long as it wants: requests
// on other connections go on meanwhile. An exception becomes 500 and a line in the log.
using Handler = std::function<boost::asio::awaitable<Response>(Request)>;

struct ServerLimits {
  std::size_t max_header_bytes = 64 * 1024;           // beyond: 431
  std::size_t max_body_bytes = std::size_t{6} << 20;  // beyond: 413
  // A body beyond the limit is read and thrown away up to this size, so that a client which only
  // reads after it has written sees the 413; beyond it the connection is closed.
  std::size_t max_discarded_bytes = std::size_t{256} << 20;
  // For a request's head, and between two pieces of its body: 408. Zero waits for ever.
  std::chrono::milliseconds request_timeout{std::chrono::seconds{30}};
  // Between requests, and for a client that does not read its answer: closed without a word.
  std::chrono::milliseconds idle_timeout{std::chrono::minutes{2}};
};

// What makes the answer to a request that is too large, in the API's own form. The request has its
// head only. Not set: a plain 413.
using TooLarge = std::function<Response(const Request& head)>;

// An HTTP/1.1 server: keep-alive, pipelined and chunked requests, Expect: 100-continue. Answers
// are sent with one system call. Malformed requests are answered 400.
// Everything runs on the executor given to Listen, which must not run on two threads at once;
// Stop and the destructor are called there too, or when nothing runs it.
class Server {
 public:
  // Listens at once. Port 0 takes a free one. Fails with kAlreadyExists when the port is in use,
  // kPermissionDenied, or kInvalidArgument for a host that is no numeric address or "localhost".
  // `log` outlives the server's last connection.
  static std::expected<std::unique_ptr<Server>, Error> Listen(
      const boost::asio::any_io_executor& executor, const Endpoint& endpoint, Handler handler,
      Log& log, const ServerLimits& limits = {}, TooLarge too_large = {});
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();  // as Stop, and then drops connections that still wait for a handler

  // Where it listens, with the real port.
  const Endpoint& endpoint() const { return endpoint_; }

  // Accepts nothing more, closes idle connections now and the others after their current answer.
  void Stop();

 private:
  class Shared;
  class Connection;
  Server(std::shared_ptr<Shared> shared, Endpoint endpoint);

  std::shared_ptr<Shared> shared_;
  Endpoint endpoint_;
};

}  // namespace kelvin::http
