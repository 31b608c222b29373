#pragma once

#include <memory>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include "http/server.h"
#include "tables/tables.h"

namespace kelvin::cli {

// Puts tables, which block, behind an HTTP server's event loop: what takes long goes to threads of
// its own. Those are as many as writes can share a commit.
class TablesHandler {
 public:
  explicit TablesHandler(std::unique_ptr<tables::Tables> tables);
  TablesHandler(const TablesHandler&) = delete;
  TablesHandler& operator=(const TablesHandler&) = delete;
  ~TablesHandler();  // waits for requests that are being answered

  // The object outlives the answer.
  boost::asio::awaitable<http::Reply> Answer(http::Request request);
  tables::Tables& tables() { return *tables_; }  // thread-safe
  // Waits for requests that are being answered; none may come after.
  void Join() { workers_.join(); }

 private:
  std::unique_ptr<tables::Tables> tables_;
  boost::asio::thread_pool workers_;
};

}  // namespace kelvin::cli
