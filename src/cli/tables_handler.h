#pragma once

#include <memory>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include "cli/write_lane.h"
#include "http/server.h"
#include "tables/tables.h"

namespace kelvin::cli {

// Puts tables, which block, behind an HTTP server's event loops: small writes share commits on a
// thread of their own, and what may take long goes to other threads.
class TablesHandler {
 public:
  explicit TablesHandler(std::unique_ptr<tables::Tables> tables);
  TablesHandler(const TablesHandler&) = delete;
  TablesHandler& operator=(const TablesHandler&) = delete;
  ~TablesHandler();  // waits for requests that are being answered

  // Whether the client is the only one there is, so that nobody waits while a small write of its is
  // done on its loop's thread.
  enum class Company { kAlone, kOthers };
  // The object outlives the answer. Thread-safe.
  boost::asio::awaitable<http::Reply> Answer(http::Request request,
                                             Company company = Company::kOthers);
  tables::Tables& tables() { return *tables_; }  // thread-safe
  // Waits for requests that are being answered; none may come after.
  void Join();

 private:
  std::unique_ptr<tables::Tables> tables_;
  WriteLane writes_;
  boost::asio::thread_pool workers_;
};

}  // namespace kelvin::cli
