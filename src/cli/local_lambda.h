#pragma once

#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "base/clock.h"
#include "base/error.h"
#include "base/ids.h"
#include "base/log.h"
#include "cli/tables_handler.h"
#include "http/server.h"
#include "sandbox/sandbox.h"
#include "service/access.h"
#include "service/managed_runtimes.h"
#include "service/service.h"
#include "tables/tables.h"

namespace kelvin::cli {

struct LocalOptions {
  http::Endpoint listen{"127.0.0.1", 0};  // loopback; port 0 takes a free one
  std::filesystem::path state;            // made when missing
  std::string region = "us-east-1";
  tables::Storage storage = tables::Storage::kDurable;
  tables::Sync sync = tables::Sync::kEveryWrite;
  service::ManagedRuntimes runtimes = {};
  // Requests must be signed with one of these; functions get the first. None: anybody may.
  std::vector<aws::Credentials> credentials = {};
  std::function<void(std::string_view function, std::string_view line)> function_log = {};
};

// Lambda and DynamoDB on one port of this machine: the service, the tables, the sandboxes and the
// HTTP server, wired together. Clock, random source and log outlive it.
class LocalLambda {
 public:
  // Starts the sandboxes' helper process, so the process must still have one thread. Errors are
  // those of the parts, with what to do about them.
  static std::expected<std::unique_ptr<LocalLambda>, Error> Open(LocalOptions options,
                                                                 const Clock& clock, Random& random,
                                                                 Log& log);
  LocalLambda(const LocalLambda&) = delete;
  LocalLambda& operator=(const LocalLambda&) = delete;
  ~LocalLambda();

  // Answers requests until Stop has ended every function's process.
  void Run();
  // Ends Run in good order. From any thread, more than once too.
  void Stop();

  // "http://127.0.0.1:9001", with the real port.
  std::string url() const;
  const sandbox::Isolation& isolation() const { return sandboxes_->isolation(); }
  tables::Tables& tables() { return tables_->tables(); }  // thread-safe

 private:
  LocalLambda(const Clock& clock, Random& random, Log& log)
      : clock_(clock), random_(random), log_(log) {}
  std::expected<void, Error> OpenParts(LocalOptions options);
  std::expected<void, Error> Listen(const http::Endpoint& endpoint);
  boost::asio::awaitable<http::Reply> Answer(http::Request request);

  const Clock& clock_;
  Random& random_;
  Log& log_;
  std::unique_ptr<sandbox::Sandboxes> sandboxes_;  // first: its process starts before any thread
  boost::asio::io_context context_{1};
  std::unique_ptr<TablesHandler> tables_;
  std::unique_ptr<service::Service> service_;
  std::unique_ptr<http::Server> server_;
  service::AccessRules access_;
  bool stopping_ = false;  // used on the context's thread
};

}  // namespace kelvin::cli
