#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "http/message.h"
#include "http/stream.h"

namespace kelvin::http {

// Largest bodies a client takes in; a larger one is kResourceExhausted.
struct ClientLimits {
  std::size_t max_header_bytes = 64 * 1024;
  std::size_t max_body_bytes = std::size_t{256} << 20;
};

// A request without its body, which stays where it is.
struct RequestView {
  std::string_view method;
  std::string_view target;
  const Headers* headers = nullptr;  // Host, Content-Length and Connection are added
  std::string_view body;
};

// What may be sent again when a kept-alive connection turns out to be dead before any byte of the
// answer came.
enum class Resend { kNo, kYes };

// An HTTP/1.1 client on one kept-alive connection to one endpoint: connects at the first request
// and again whenever the peer has hung up. Blocking; not thread-safe. The connector outlives it.
class Client {
 public:
  Client(Connector& connector, Endpoint endpoint, ClientLimits limits = {});
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  // Sends and waits for the whole answer into `response`, whose memory is reused. Reads chunked
  // bodies and trailers (which join the headers). Fails with kTimeout at `deadline`, kUnavailable
  // when the peer cannot be reached or hangs up, kCorrupt when the answer is not HTTP; after any
  // failure the connection is dropped.
  std::expected<void, Error> Send(const RequestView& request, Response& response,
                                  Clock::TimePoint deadline, Resend resend = Resend::kYes);
  std::expected<Response, Error> Send(const Request& request, Clock::TimePoint deadline,
                                      Resend resend = Resend::kYes);

  // A request whose body is sent in chunks while it is made: BeginBody sends the head and a first
  // piece, which may be empty; SendPiece a further one; EndBody the trailers, and waits for the
  // answer. Errors as for Send, after which the request is over; then `response` has the answer of
  // a peer that did not wait for the end, or else a status of 0.
  std::expected<void, Error> BeginBody(const RequestView& request, std::string_view piece,
                                       Response& response, Clock::TimePoint deadline);
  std::expected<void, Error> SendPiece(std::string_view piece, Response& response,
                                       Clock::TimePoint deadline);
  std::expected<void, Error> EndBody(const Headers& trailers, Response& response,
                                     Clock::TimePoint deadline);

  bool connected() const { return stream_ != nullptr; }
  void Disconnect();
  const Endpoint& endpoint() const { return endpoint_; }

 private:
  class Parser;
  enum class Progress { kNothingCame, kPartCame };

  std::expected<void, Error> SendOnce(const RequestView& request, Response& response,
                                      Clock::TimePoint deadline, Progress& progress);
  enum class BodyForm { kWhole, kChunked };
  std::expected<void, Error> Connect(Clock::TimePoint deadline);
  void BuildHead(const RequestView& request, BodyForm form);
  // Appends the piece to what head_ holds, and writes both.
  std::expected<void, Error> WritePiece(std::string_view piece, Clock::TimePoint deadline);
  std::expected<void, Error> OrEarlyAnswer(std::expected<void, Error> written, Response& response,
                                           Clock::TimePoint deadline);
  std::expected<void, Error> ReadResponse(const RequestView& request, Response& response,
                                          Clock::TimePoint deadline, Progress& progress);

  Connector& connector_;
  Endpoint endpoint_;
  std::string host_header_;
  ClientLimits limits_;
  std::unique_ptr<Stream> stream_;
  std::string head_;
  std::string buffer_;  // what was read and not yet parsed
};

}  // namespace kelvin::http
