#pragma once

#include <expected>
#include <memory>
#include <span>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "http/message.h"

namespace kelvin::http {

// A connected byte stream, plain or encrypted: the seam for the network. Blocking; not thread-safe.
class Stream {
 public:
  virtual ~Stream() = default;
  // Waits for at least one byte; 0 when the peer has closed in order. Fails with kTimeout at
  // `deadline`, kUnavailable when the connection broke.
  virtual std::expected<std::size_t, Error> Read(std::span<char> into,
                                                 Clock::TimePoint deadline) = 0;
  // Writes both parts in full, in one system call where the kernel takes them. Errors as Read.
  virtual std::expected<void, Error> Write(std::string_view head, std::string_view body,
                                           Clock::TimePoint deadline) = 0;
};

// Makes streams. `aws` adds names and TLS to what this folder can do.
class Connector {
 public:
  virtual ~Connector() = default;
  // Fails with kTimeout or kUnavailable, naming the endpoint.
  virtual std::expected<std::unique_ptr<Stream>, Error> Connect(const Endpoint& endpoint,
                                                                Clock::TimePoint deadline) = 0;
};

// TCP without delay (TCP_NODELAY) to a numeric IPv4 or IPv6 address or "localhost": no name
// service, so that it works, small, in a static binary.
class TcpConnector final : public Connector {
 public:
  std::expected<std::unique_ptr<Stream>, Error> Connect(const Endpoint& endpoint,
                                                        Clock::TimePoint deadline) override;
};

// Takes over a connected socket.
std::unique_ptr<Stream> NewSocketStream(UniqueFd socket);

// "host:port" or "[v6]:port". Fails with kInvalidArgument, saying what was expected.
std::expected<Endpoint, Error> ParseEndpoint(std::string_view text);

}  // namespace kelvin::http
