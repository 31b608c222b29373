#pragma once

#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include "base/clock.h"
#include "base/ids.h"
#include "base/log.h"
#include "http/message.h"
#include "service/api_error.h"
#include "service/function_registry.h"
#include "service/function_request.h"
#include "service/function_store.h"
#include "service/router.h"
#include "service/scheduler.h"

namespace kelvin::service {

// The calls that make, show, change and delete functions. What they answer with success is on the
// disk. Used from the executor's thread; the store is used on the workers, of which there is one.
class FunctionApi {
 public:
  struct Parts {  // all outlive the object
    FunctionRegistry& registry;
    FunctionStore& store;
    boost::asio::thread_pool& workers;
    Scheduler& scheduler;
    const Clock& clock;
    Random& random;
    Log& log;
    const Place& place;
    Architecture host;
  };
  explicit FunctionApi(const Parts& parts);

  boost::asio::awaitable<http::Response> Create(Route route, http::Request request);
  boost::asio::awaitable<http::Response> List(Route route, http::Request request);
  boost::asio::awaitable<http::Response> Get(Route route, http::Request request);
  boost::asio::awaitable<http::Response> GetConfiguration(Route route, http::Request request);
  boost::asio::awaitable<http::Response> UpdateCode(Route route, http::Request request);
  boost::asio::awaitable<http::Response> UpdateConfiguration(Route route, http::Request request);
  boost::asio::awaitable<http::Response> Delete(Route route, http::Request request);

 private:
  using Config = FunctionRegistry::Config;

  // The function that a route names. With an error for one that does not exist.
  std::expected<Config, ApiError> FindFunction(const Route& route) const;
  boost::asio::awaitable<std::expected<StoredCode, ApiError>> KeepCode(const std::string& name,
                                                                       const std::string& zip);
  // Stores the configuration with a new revision, and lets invokes see it.
  boost::asio::awaitable<std::expected<Config, ApiError>> Commit(FunctionConfig config);
  http::Response Describe(int status, const FunctionConfig& config, Progress progress) const;
  ApiError BeingChanged(std::string_view name) const;

  Parts parts_;
};

}  // namespace kelvin::service
