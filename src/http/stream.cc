#include "http/stream.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstring>
#include <optional>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace kelvin::http {
namespace {

// Waits for `events`; true when they came, false at the deadline.
std::expected<bool, Error> WaitFor(int fd, short events, Clock::TimePoint deadline) {
  for (;;) {
    int timeout = -1;
    if (deadline != kNoDeadline) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      if (left.count() <= 0) return false;
      timeout = left.count() > INT_MAX ? INT_MAX : static_cast<int>(left.count());
    }
    pollfd entry{.fd = fd, .events = events, .revents = 0};
    const int ready = ::poll(&entry, 1, timeout);
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return std::unexpected(ErrnoError("wait for a socket", errno));
  }
}

Error TimedOut(std::string_view doing) {
  return Error{ErrorCode::kTimeout, fmt::format("timed out {}", doing)};
}

Error Broken(std::string_view doing, int error_number) {
  return Error{ErrorCode::kUnavailable, ErrnoError(doing, error_number).message};
}

class SocketStream final : public Stream {
 public:
  explicit SocketStream(UniqueFd socket) : socket_(std::move(socket)) {}

  std::expected<std::size_t, Error> Read(std::span<char> into, Clock::TimePoint deadline) override {
    for (;;) {
      // Without a deadline a blocking read costs one system call, not two.
      if (deadline != kNoDeadline) {
        const auto ready = WaitFor(socket_.get(), POLLIN, deadline);
        if (!ready) return std::unexpected(ready.error());
        if (!*ready) return std::unexpected(TimedOut("waiting for the peer's answer"));
      }
      const ssize_t got = ::recv(socket_.get(), into.data(), into.size(), 0);
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EINTR) return std::unexpected(Broken("read from the connection", errno));
    }
  }

  std::expected<void, Error> Write(std::string_view head, std::string_view body,
                                   Clock::TimePoint deadline) override {
    std::array<iovec, 2> parts{iovec{const_cast<char*>(head.data()), head.size()},
                               iovec{const_cast<char*>(body.data()), body.size()}};
    const int flags = MSG_NOSIGNAL | (deadline == kNoDeadline ? 0 : MSG_DONTWAIT);
    std::size_t first = head.empty() ? 1 : 0;
    while (first < parts.size() && parts[first].iov_len > 0) {
      msghdr message{};
      message.msg_iov = parts.data() + first;
      message.msg_iovlen = parts.size() - first;
      const ssize_t sent = ::sendmsg(socket_.get(), &message, flags);
      if (sent < 0) {
        if (errno == EINTR) continue;
        if (errno != EAGAIN) return std::unexpected(Broken("write to the connection", errno));
        const auto ready = WaitFor(socket_.get(), POLLOUT, deadline);
        if (!ready) return std::unexpected(ready.error());
        if (!*ready) return std::unexpected(TimedOut("sending to the peer"));
        continue;
      }
      auto left = static_cast<std::size_t>(sent);
      while (first < parts.size() && left >= parts[first].iov_len) {
        left -= parts[first].iov_len;
        ++first;
      }
      if (first < parts.size()) {
        parts[first].iov_base = static_cast<char*>(parts[first].iov_base) + left;
        parts[first].iov_len -= left;
      }
    }
    return {};
  }

 private:
  UniqueFd socket_;
};

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

std::optional<Address> NumericAddress(const Endpoint& endpoint) {
  Address address;
  const std::string host = endpoint.host == "localhost" ? "127.0.0.1" : endpoint.host;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  if (::inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(static_cast<std::uint16_t>(endpoint.port));
    address.size = sizeof *v4;
    return address;
  }
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (::inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(static_cast<std::uint16_t>(endpoint.port));
    address.size = sizeof *v6;
    return address;
  }
  return std::nullopt;
}

std::string Doing(const Endpoint& endpoint) {
  return fmt::format("connect to {}:{}", endpoint.host, endpoint.port);
}

// Connects without blocking past the deadline, then lets the socket block again.
std::expected<void, Error> ConnectBy(int fd, const Address& address, const Endpoint& endpoint,
                                     Clock::TimePoint deadline) {
  const auto* name = reinterpret_cast<const sockaddr*>(&address.storage);
  if (deadline == kNoDeadline) {
    if (::connect(fd, name, address.size) == 0) return {};
    return std::unexpected(Broken(Doing(endpoint), errno));
  }
  const int flags = ::fcntl(fd, F_GETFL);
  ::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
  if (::connect(fd, name, address.size) != 0) {
    if (errno != EINPROGRESS) return std::unexpected(Broken(Doing(endpoint), errno));
    const auto ready = WaitFor(fd, POLLOUT, deadline);
    if (!ready) return std::unexpected(ready.error());
    if (!*ready) {
      return std::unexpected(
          TimedOut(fmt::format("connecting to {}:{}", endpoint.host, endpoint.port)));
    }
    int failure = 0;
    socklen_t size = sizeof failure;
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size);
    if (failure != 0) return std::unexpected(Broken(Doing(endpoint), failure));
  }
  ::fcntl(fd, F_SETFL, flags);
  return {};
}

}  // namespace

std::unique_ptr<Stream> NewSocketStream(UniqueFd socket) {
  return std::make_unique<SocketStream>(std::move(socket));
}

std::expected<std::unique_ptr<Stream>, Error> TcpConnector::Connect(const Endpoint& endpoint,
                                                                    Clock::TimePoint deadline) {
  const auto address = NumericAddress(endpoint);
  if (!address) {
    return std::unexpected(
        Error{ErrorCode::kInvalidArgument,
              fmt::format("expected a numeric address or localhost, got '{}'", endpoint.host)});
  }
  UniqueFd fd(::socket(address->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return std::unexpected(ErrnoError("create a socket", errno));
  auto connected = ConnectBy(fd.get(), *address, endpoint, deadline);
  if (!connected) return std::unexpected(std::move(connected.error()));
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return NewSocketStream(std::move(fd));
}

std::expected<Endpoint, Error> ParseEndpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  int port = 0;
  if (colon != std::string_view::npos) {
    const std::string_view digits = text.substr(colon + 1);
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (failure != std::errc{} || end != digits.data() + digits.size()) port = 0;
  }
  std::string_view host = text.substr(0, colon == std::string_view::npos ? 0 : colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  if (host.empty() || port < 1 || port > 65535) {
    return std::unexpected(
        Error{ErrorCode::kInvalidArgument,
              fmt::format("expected host:port with a port from 1 to 65535, got '{}'", text)});
  }
  return Endpoint{std::string(host), port};
}

}  // namespace kelvin::http
