#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "base/error.h"
#include "base/log.h"
#include "http/message.h"

namespace kelvin::http {

// Where the body of an answer goes, piece by piece.
class BodySink {
 public:
  virtual ~BodySink() = default;
  // Waits until the client's side has taken it; false when the client is gone. `bytes` stay valid
  // meanwhile.
  virtual boost::asio::awaitable<bool> Write(std::string_view bytes) = 0;
};
// Writes a whole body; the answer ends when it does. False when the body broke off: the client is
// hung up on, so that it does not take it for whole.
using BodyWriter = std::function<boost::asio::awaitable<bool>(BodySink&)>;

// An answer, whole or with a body that is made while it is sent.
struct Reply {
  Reply(Response whole) : response(std::move(whole)) {}  // NOLINT: a Response is a Reply
  Reply(Response head, BodyWriter writer) : response(std::move(head)), body(std::move(writer)) {}

  Response response;
  BodyWriter body;  // when set, what follows the head, in chunks
};

// The body of a request as it comes in.
class BodySource {
 public:
  virtual ~BodySource() = default;
  // Waits for the next piece; empty at the end. Fails with kUnavailable when the client hung up or
  // broke the rules before.
  virtual boost::asio::awaitable<std::expected<std::string, Error>> Next() = 0;
  // The fields that came behind a chunked body; complete at its end.
  virtual const Headers& trailers() const = 0;
};

// Answers one request. Runs on the server's executor, and may take as long as it wants: requests
// on other connections go on meanwhile. An exception becomes 500 and a line in the log.
using Handler = std::function<boost::asio::awaitable<Reply>(Request)>;

// Answers requests whose bodies are taken in as they come: those for which `wanted` says so of the
// head. What it has not read of the body when it answers is thrown away with the connection.
struct StreamHandler {
  std::function<bool(const Request& head)> wanted = {};
  std::function<boost::asio::awaitable<Reply>(Request head, BodySource& body)> handle = {};
};

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
// Stop and the destructor are called there too, or when nothing runs it. Of several executors each
// has its share of the connections, and the handler must be thread-safe; Stop is called on the
// first, which also accepts connections, and the destructor when nothing runs any.
class Server {
 public:
  // Listens at once. Port 0 takes a free one. Fails with kAlreadyExists when the port is in use,
  // kPermissionDenied, or kInvalidArgument for a host that is no numeric address or "localhost".
  // `log` outlives the server's last connection.
  static std::expected<std::unique_ptr<Server>, Error> Listen(
      const boost::asio::any_io_executor& executor, const Endpoint& endpoint, Handler handler,
      Log& log, const ServerLimits& limits = {}, TooLarge too_large = {},
      StreamHandler streams = {});
  static std::expected<std::unique_ptr<Server>, Error> Listen(
      std::span<const boost::asio::any_io_executor> executors, const Endpoint& endpoint,
      Handler handler, Log& log, const ServerLimits& limits = {}, TooLarge too_large = {},
      StreamHandler streams = {});
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();  // as Stop, and then drops connections that still wait for a handler

  // Where it listens, with the real port.
  const Endpoint& endpoint() const { return endpoint_; }

  // How many connections are open by now. Thread-safe.
  std::size_t connections() const;

  // Whether something that clients sent waits to be read: not what comes after a request that is
  // being answered. For a server with one executor.
  bool has_unread() const;

  // Accepts nothing more, closes idle connections now and the others after their current answer.
  void Stop();

 private:
  class Acceptor;
  class Loop;
  class Connection;
  struct Common;
  Server(std::shared_ptr<const Common> common, std::shared_ptr<Acceptor> acceptor,
         std::vector<std::shared_ptr<Loop>> loops, Endpoint endpoint);

  std::shared_ptr<const Common> common_;
  std::shared_ptr<Acceptor> acceptor_;
  std::vector<std::shared_ptr<Loop>> loops_;
  Endpoint endpoint_;
};

}  // namespace kelvin::http
