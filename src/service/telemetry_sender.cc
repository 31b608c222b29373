#include "service/telemetry_sender.h"

#include <array>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

namespace kelvin::service {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

// An answer's first line is all that matters.
constexpr std::size_t kStatusBytes = sizeof "HTTP/1.1 200" - 1;

Error Unavailable(std::string_view what) {
  return {ErrorCode::kUnavailable, std::string(what)};
}

std::string PostHead(const TelemetryDestination& destination, std::size_t body_bytes) {
  return fmt::format(
      "POST {} HTTP/1.1\r\nHost: sandbox.localdomain:{}\r\nContent-Type: application/json\r\n"
      "Content-Length: {}\r\nConnection: close\r\n\r\n",
      destination.path, destination.port, body_bytes);
}

class LoopbackSender final : public TelemetrySender {
 public:
  asio::awaitable<std::expected<void, Error>> Send(
      TelemetryDestination destination, std::shared_ptr<const std::string> body) override {
    tcp::socket socket(co_await asio::this_coro::executor);
    boost::system::error_code error;
    const tcp::endpoint endpoint(asio::ip::address_v4::loopback(),
                                 static_cast<std::uint16_t>(destination.port));
    co_await socket.async_connect(endpoint, asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return std::unexpected(Unavailable(error.message()));
    const bool http = destination.protocol == TelemetryDestination::Protocol::kHttp;
    std::string head;
    if (http) head = PostHead(destination, body->size());
    const std::array<asio::const_buffer, 2> parts{asio::buffer(head), asio::buffer(*body)};
    co_await asio::async_write(socket, parts, asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return std::unexpected(Unavailable(error.message()));
    if (!http) co_return std::expected<void, Error>();
    std::array<char, 256> answer;
    std::size_t got = 0;
    while (got < kStatusBytes) {
      got += co_await socket.async_read_some(asio::buffer(answer.data() + got, answer.size() - got),
                                             asio::redirect_error(asio::use_awaitable, error));
      if (error) co_return std::unexpected(Unavailable("no answer"));
    }
    const std::string_view status(answer.data() + kStatusBytes - 3, 3);
    if (status.front() != '2') {
      co_return std::unexpected(Unavailable(fmt::format("answered {}", status)));
    }
    co_return std::expected<void, Error>();
  }
};

}  // namespace

std::unique_ptr<TelemetrySender> NewLoopbackSender() {
  return std::make_unique<LoopbackSender>();
}

}  // namespace kelvin::service
