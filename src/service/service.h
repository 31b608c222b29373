#pragma once

#include <chrono>
#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "base/clock.h"
#include "base/error.h"
#include "base/ids.h"
#include "base/log.h"
#include "http/server.h"
#include "sandbox/sandbox.h"
#include "service/managed_runtimes.h"

namespace kelvin::service {

// What the service is built from; all of it outlives the service.
struct ServiceParts {
  sandbox::Sandboxes& sandboxes;
  const Clock& clock;
  Random& random;
  Log& log;
};

struct ServiceOptions {
  // Where functions, accepted events and logs are kept; made when missing. One service at a time.
  std::filesystem::path state;
  std::string region = "us-east-1";
  std::string account_id = "123456789012";
  std::string url;  // where clients find it, without a '/' at its end
  // What every function sees unless it sets the name itself, such as AWS_ENDPOINT_URL_DYNAMODB
  // and AWS_ACCESS_KEY_ID.
  std::vector<std::pair<std::string, std::string>> function_environment;
  std::chrono::milliseconds idle_timeout{std::chrono::minutes{10}};  // then an environment ends
  // How long an environment that has nothing to do runs on before it is frozen: sparing a busy
  // one the cost of freezing and thawing at every invoke.
  std::chrono::milliseconds freeze_delay{5};
  std::chrono::milliseconds init_timeout{std::chrono::seconds{10}};
  int account_concurrency = 1000;
  // Waits before an event that failed is tried a second and a third time.
  std::vector<std::chrono::milliseconds> event_retry_delays{std::chrono::minutes{1},
                                                            std::chrono::minutes{2}};
  // What functions of managed runtimes run on; no other runtimes are accepted.
  ManagedRuntimes runtimes = {};
  // Sees each line of functions' logs, without its newline; must not block. May be empty.
  std::function<void(std::string_view function, std::string_view line)> function_log;
};

// A Lambda on this machine: functions, their environments, and the HTTP API over them.
//
// Everything runs on one executor that must not run on two threads at once; slow work (unzipping,
// fsync) goes to a small pool of the service's own. Call everything from the executor's thread.
class Service {
 public:
  // Opens the state folder. Fails with kAlreadyExists when another service holds it,
  // kPermissionDenied or kResourceExhausted when it cannot be written, kCorrupt when what it holds
  // is damaged; nothing is ever reset in silence.
  static std::expected<std::unique_ptr<Service>, Error> Create(
      const boost::asio::any_io_executor& executor, const ServiceParts& parts,
      ServiceOptions options);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  ~Service();  // ends what still runs, at once

  // Answers one request of the Lambda API, of CloudWatch Logs, or for /metrics. Requests may
  // overlap.
  boost::asio::awaitable<http::Reply> Handle(http::Request request);

  // Refuses new work and ends every environment: SIGTERM, and SIGKILL for what is left after little
  // more than two seconds. When it returns, no process of a function remains, unless the kernel
  // itself hangs.
  boost::asio::awaitable<void> Stop();

  // Largest request body of the API: what the HTTP server in front must let through.
  static constexpr std::size_t kMaxRequestBytes = 70'167'211;
  // Whether a request is a call of CloudWatch Logs: its path tells it from no other service's.
  static bool IsForLogs(const http::Request& request);
  // Whether a request is for a function URL, and so for anybody.
  static bool IsForFunctionUrl(const http::Request& request);
  // The answer to a request with a larger one.
  static http::Response TooLarge(const http::Request& head);

 private:
  class Impl;
  explicit Service(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kelvin::service
