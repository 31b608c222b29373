#include "cli/tables_handler.h"

#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace kelvin::cli {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kThreads = 16;

asio::awaitable<http::Response> Ask(tables::Tables& tables, const http::Request& request) {
  co_return tables.Handle(request);
}

}  // namespace

TablesHandler::TablesHandler(std::unique_ptr<tables::Tables> tables)
    : tables_(std::move(tables)), workers_(kThreads) {}

TablesHandler::~TablesHandler() {
  workers_.join();
}

asio::awaitable<http::Reply> TablesHandler::Answer(http::Request request) {
  if (tables_->IsQuick(request)) co_return tables_->Handle(request);
  http::Response response =
      co_await asio::co_spawn(workers_, Ask(*tables_, request), asio::use_awaitable);
  co_return http::Reply(std::move(response));
}

}  // namespace kelvin::cli
