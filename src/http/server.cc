#include "http/server.h"

#include <algorithm>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <poll.h>

#include "http/server_parts.h"

namespace kelvin::http {

namespace asio = boost::asio;
using asio::awaitable;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

Error ListenError(const error_code& error, const Endpoint& endpoint) {
  if (error == asio::error::address_in_use) {
    return {ErrorCode::kAlreadyExists,
            fmt::format("port {0} on {1} is in use; `ss -ltnp 'sport = :{0}'` shows by whom; take "
                        "another with --port, or --port 0 for a free one",
                        endpoint.port, endpoint.host)};
  }
  const auto doing = fmt::format("listen on {}:{}", endpoint.host, endpoint.port);
  return ErrnoError(doing, error.value());
}

std::expected<tcp::endpoint, Error> AddressOf(const Endpoint& endpoint) {
  error_code error;
  const auto address =
      asio::ip::make_address(endpoint.host == "localhost" ? "127.0.0.1" : endpoint.host, error);
  if (error) {
    return std::unexpected(
        Error{ErrorCode::kInvalidArgument,
              fmt::format("expected a numeric address such as 127.0.0.1 to listen on, got \"{}\"",
                          endpoint.host)});
  }
  if (endpoint.port < 0 || endpoint.port > 65535) {
    return std::unexpected(
        Error{ErrorCode::kInvalidArgument,
              fmt::format("expected a port from 0 to 65535, got {}", endpoint.port)});
  }
  return tcp::endpoint(address, static_cast<std::uint16_t>(endpoint.port));
}

}  // namespace

std::expected<void, Error> Server::Acceptor::Open(const tcp::endpoint& address,
                                                  const Endpoint& named) {
  error_code error;
  acceptor_.open(address.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(address, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) return std::unexpected(ListenError(error, named));
  return {};
}

awaitable<void> Server::Acceptor::Run(std::vector<std::weak_ptr<Loop>> loops) {
  const auto self = shared_from_this();
  // The first connection goes to another than the executor that accepts the next.
  for (std::size_t turn = 1; acceptor_.is_open(); ++turn) {
    const auto loop = loops[turn % loops.size()].lock();
    if (!loop) break;
    error_code error;
    auto socket = co_await acceptor_.async_accept(loop->executor(),
                                                  asio::redirect_error(asio::use_awaitable, error));
    if (!acceptor_.is_open() || error == asio::error::operation_aborted) break;
    if (error) {
      // Most likely out of file descriptors: a moment later some may be free again.
      log_.Write(LogLevel::kWarn, "http", "cannot accept a connection: {}", error.message());
      asio::steady_timer pause(acceptor_.get_executor(), std::chrono::milliseconds{100});
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
      continue;
    }
    socket.set_option(tcp::no_delay(true), error);
    asio::dispatch(loop->executor(),
                   [loop, socket = std::move(socket)]() mutable { loop->Take(std::move(socket)); });
  }
}

void Server::Acceptor::Close() {
  error_code ignored;
  acceptor_.close(ignored);
}

bool Server::Acceptor::has_waiting() {
  pollfd waiting{acceptor_.native_handle(), POLLIN, 0};
  return ::poll(&waiting, 1, 0) > 0;
}

void Server::Loop::Take(tcp::socket socket) {
  if (stopping_) return;
  ArmSweep();
  asio::co_spawn(
      executor_,
      Connection::Run(std::make_shared<Connection>(std::move(socket), shared_from_this())),
      asio::detached);
}

std::chrono::milliseconds Server::Loop::SweepInterval() const {
  std::chrono::milliseconds shortest = std::chrono::milliseconds::max();
  for (const auto timeout : {common_->limits.request_timeout, common_->limits.idle_timeout}) {
    if (timeout > timeout.zero()) shortest = std::min(shortest, timeout);
  }
  if (shortest == std::chrono::milliseconds::max()) return std::chrono::milliseconds::zero();
  return std::clamp(shortest / 4, std::chrono::milliseconds{1}, std::chrono::milliseconds{1000});
}

void Server::Loop::ArmSweep() {
  const auto interval = SweepInterval();
  if (sweeping_ || interval == interval.zero()) return;
  sweeping_ = true;
  sweep_timer_.expires_after(interval);
  sweep_timer_.async_wait([weak = weak_from_this()](const error_code& error) {
    const auto self = weak.lock();
    if (!self || error) return;
    self->sweeping_ = false;
    self->Sweep();
  });
}

void Server::Loop::Sweep() {
  const auto now = std::chrono::steady_clock::now();
  for (Connection* connection : connections_) connection->CloseIfExpired(now);
  if (!connections_.empty()) ArmSweep();
}

bool Server::Loop::has_unread() const {
  return std::ranges::any_of(connections_,
                             [](const Connection* connection) { return connection->has_unread(); });
}

void Server::Loop::Stop() {
  if (std::exchange(stopping_, true)) return;
  for (Connection* connection : connections_) connection->CloseIfIdle();
}

void Server::Loop::DropAll() {
  dropped_ = true;
  sweep_timer_.cancel();
  for (Connection* connection : connections_) connection->Close();
}

std::expected<std::unique_ptr<Server>, Error> Server::Listen(
    const asio::any_io_executor& executor, const Endpoint& endpoint, Handler handler, Log& log,
    const ServerLimits& limits, TooLarge too_large, StreamHandler streams) {
  return Listen({&executor, 1}, endpoint, std::move(handler), log, limits, std::move(too_large),
                std::move(streams));
}

std::expected<std::unique_ptr<Server>, Error> Server::Listen(
    std::span<const asio::any_io_executor> executors, const Endpoint& endpoint, Handler handler,
    Log& log, const ServerLimits& limits, TooLarge too_large, StreamHandler streams) {
  auto address = AddressOf(endpoint);
  if (!address) return std::unexpected(std::move(address.error()));
  auto acceptor = std::make_shared<Acceptor>(executors.front(), log);
  auto opened = acceptor->Open(*address, endpoint);
  if (!opened) return std::unexpected(std::move(opened.error()));
  const auto common = std::make_shared<Common>(std::move(handler), std::move(too_large),
                                               std::move(streams), limits, log);
  std::vector<std::shared_ptr<Loop>> loops;
  for (const auto& executor : executors) loops.push_back(std::make_shared<Loop>(executor, common));
  asio::co_spawn(executors.front(), acceptor->Run({loops.begin(), loops.end()}), asio::detached);
  const Endpoint real{address->address().to_string(), acceptor->port()};
  return std::unique_ptr<Server>(new Server(common, std::move(acceptor), std::move(loops), real));
}

Server::Server(std::shared_ptr<const Common> common, std::shared_ptr<Acceptor> acceptor,
               std::vector<std::shared_ptr<Loop>> loops, Endpoint endpoint)
    : common_(std::move(common)),
      acceptor_(std::move(acceptor)),
      loops_(std::move(loops)),
      endpoint_(std::move(endpoint)) {}

Server::~Server() {
  acceptor_->Close();
  for (const auto& loop : loops_) {
    loop->Stop();
    loop->DropAll();
  }
}

void Server::Stop() {
  acceptor_->Close();
  loops_.front()->Stop();
  for (const auto& loop : std::span(loops_).subspan(1)) {
    asio::post(loop->executor(), [loop] { loop->Stop(); });
  }
}

std::size_t Server::connections() const {
  return common_->connections;
}

bool Server::has_unread() const {
  return acceptor_->has_waiting() || loops_.front()->has_unread();
}

}  // namespace kelvin::http
