#include "service/runtime_listener.h"

#include <utility>

#include <fmt/format.h>

#include "http/server.h"

namespace kelvin::service {
namespace {

// A runtime may take as long as it likes, between calls and within them.
constexpr http::ServerLimits kLimits{.max_body_bytes = kMaxResponseBytes,
                                     .request_timeout = std::chrono::milliseconds{0},
                                     .idle_timeout = std::chrono::milliseconds{0}};

boost::asio::awaitable<http::Reply> Answer(RuntimeApi& api, http::Request request) {
  http::Response response = co_await api.Handle(std::move(request));
  co_return http::Reply(std::move(response));
}

boost::asio::awaitable<http::Reply> AnswerStream(RuntimeApi& api, http::Request head,
                                                 http::BodySource& body) {
  http::Response response = co_await api.HandleStream(std::move(head), body);
  co_return http::Reply(std::move(response));
}

class TcpListener final : public RuntimeListener {
 public:
  explicit TcpListener(std::unique_ptr<http::Server> server)
      : server_(std::move(server)),
        address_(fmt::format("{}:{}", server_->endpoint().host, server_->endpoint().port)) {}
  const std::string& address() const override { return address_; }
  bool has_unread() const override { return server_->has_unread(); }

 private:
  std::unique_ptr<http::Server> server_;
  std::string address_;
};

class TcpListeners final : public RuntimeListeners {
 public:
  TcpListeners(const boost::asio::any_io_executor& executor, Log& log)
      : executor_(executor), log_(log) {}

  std::expected<std::unique_ptr<RuntimeListener>, Error> Listen(RuntimeApi& api) override {
    auto server = http::Server::Listen(
        executor_, {"127.0.0.1", 0},
        [&api](http::Request request) { return Answer(api, std::move(request)); }, log_, kLimits,
        [&api](const http::Request& head) { return api.HandleTooLarge(head); },
        {.wanted = &RuntimeApi::IsStream,
         .handle = [&api](http::Request head, http::BodySource& body) {
           return AnswerStream(api, std::move(head), body);
         }});
    if (!server) return std::unexpected(std::move(server.error()));
    return std::make_unique<TcpListener>(std::move(*server));
  }

 private:
  boost::asio::any_io_executor executor_;
  Log& log_;
};

}  // namespace

std::unique_ptr<RuntimeListeners> NewTcpListeners(const boost::asio::any_io_executor& executor,
                                                  Log& log) {
  return std::make_unique<TcpListeners>(executor, log);
}

}  // namespace kelvin::service
