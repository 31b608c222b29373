#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include "base/clock.h"
#include "base/log.h"
#include "service/function_store.h"
#include "service/layer.h"
#include "service/operation.h"

namespace kelvin::service {

// The calls about layers. What they answer with success is on the disk. Used from the executor's
// thread; the store is used on the workers, of which there is one.
class LayerApi {
 public:
  struct Parts {  // all outlive the object
    LayerRegistry& layers;
    FunctionStore& store;
    boost::asio::thread_pool& workers;
    const Clock& clock;
    Log& log;
    const Place& place;
  };
  explicit LayerApi(const Parts& parts);

  // The operations refer to this object.
  void AddTo(Operations& operations);

 private:
  boost::asio::awaitable<http::Response> Publish(ApiCall call);
  boost::asio::awaitable<http::Response> Get(ApiCall call);
  boost::asio::awaitable<http::Response> GetByArn(ApiCall call);
  boost::asio::awaitable<http::Response> List(ApiCall call);
  boost::asio::awaitable<http::Response> ListVersions(ApiCall call);
  boost::asio::awaitable<http::Response> Delete(ApiCall call);
  boost::asio::awaitable<http::Response> AddPermission(ApiCall call);
  boost::asio::awaitable<http::Response> GetPolicy(ApiCall call);
  boost::asio::awaitable<http::Response> RemovePermission(ApiCall call);

  http::Response Describe(int status, const Layer& layer, const LayerVersion& version) const;
  http::Response Find(std::string_view name, std::string_view number) const;
  boost::asio::awaitable<std::expected<void, ApiError>> Commit(Layer layer);
  // Changes the statements of the version that the call names.
  using Edit = std::function<std::expected<void, ApiError>(StringMap&)>;
  boost::asio::awaitable<std::expected<void, ApiError>> EditPolicy(const Route& route,
                                                                   const Edit& edit);

  Parts parts_;
  // Layers that are being changed: changes of one layer come one after the other.
  std::set<std::string, std::less<>> changing_;
};

}  // namespace kelvin::service
