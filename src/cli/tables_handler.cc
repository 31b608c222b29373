#include "cli/tables_handler.h"

#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace kelvin::cli {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kThreads = 8;

asio::awaitable<http::Response> Ask(tables::Tables& tables, const http::Request& request) {
  co_return tables.Handle(request);
}

}  // namespace

TablesHandler::TablesHandler(std::unique_ptr<tables::Tables> tables)
    : tables_(std::move(tables)), writes_(*tables_), workers_(kThreads) {}

TablesHandler::~TablesHandler() {
  Join();
}

void TablesHandler::Join() {
  writes_.Join();
  workers_.join();
}

asio::awaitable<http::Reply> TablesHandler::Answer(http::Request request, Company company) {
  if (tables_->IsQuick(request)) co_return tables_->Handle(request);
  if (tables_->IsSmallWrite(request)) {
    // To hand it to another thread and back takes a lone client a good part of what the disk does.
    if (company == Company::kAlone) co_return tables_->Handle(request);
    http::Response written = co_await writes_.Answer(std::move(request));
    co_return http::Reply(std::move(written));
  }
  http::Response response =
      co_await asio::co_spawn(workers_, Ask(*tables_, request), asio::use_awaitable);
  co_return http::Reply(std::move(response));
}

}  // namespace kelvin::cli
