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
#include "service/layer.h"
#include "service/operation.h"
#include "service/scheduler.h"

namespace kelvin::service {

// Where the scheduler finds a function.
FunctionFolders FoldersOf(const FunctionStore& store, const FunctionConfig& config);

// The calls that make, show, change and delete functions. What they answer with success is on the
// disk. Used from the executor's thread; the store is used on the workers, of which there is one.
class FunctionApi {
 public:
  struct Parts {  // all outlive the object
    FunctionRegistry& registry;
    const LayerRegistry& layers;
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

  // The operations refer to this object.
  void AddTo(Operations& operations);

 private:
  boost::asio::awaitable<http::Response> Create(ApiCall call);
  boost::asio::awaitable<http::Response> List(ApiCall call);
  boost::asio::awaitable<http::Response> Get(ApiCall call);
  boost::asio::awaitable<http::Response> GetConfiguration(ApiCall call);
  boost::asio::awaitable<http::Response> UpdateCode(ApiCall call);
  boost::asio::awaitable<http::Response> UpdateConfiguration(ApiCall call);
  boost::asio::awaitable<http::Response> Delete(ApiCall call);

  using Config = FunctionRegistry::Config;

  // The function that a route names. With an error for one that does not exist.
  std::expected<Config, ApiError> FindFunction(const Route& route) const;
  // Keeps the package and has the configuration name it.
  boost::asio::awaitable<std::expected<void, ApiError>> SetCode(FunctionConfig& config,
                                                                const std::string& zip);
  std::expected<void, ApiError> SetLayers(FunctionConfig& config,
                                          const std::vector<std::string>& arns) const;
  void WarnOfBootstrap(const FunctionConfig& config) const;
  // Stores the configuration with a new revision, and lets invokes see it.
  boost::asio::awaitable<std::expected<Config, ApiError>> Commit(FunctionConfig config);
  http::Response Describe(int status, const FunctionConfig& config, Progress progress) const;
  ApiError BeingChanged(std::string_view name) const;

  Parts parts_;
};

}  // namespace kelvin::service
