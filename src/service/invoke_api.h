#pragma once

#include <expected>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "base/clock.h"
#include "base/ids.h"
#include "http/message.h"
#include "service/api_error.h"
#include "service/event_queue.h"
#include "service/function_registry.h"
#include "service/operation.h"
#include "service/scheduler.h"

namespace kelvin::service {

// Payloads of a synchronous Invoke are smaller than this.
inline constexpr std::size_t kMaxInvokeBytes = 6'291'456;

// The Invoke call. Used from the executor's thread.
class InvokeApi {
 public:
  struct Parts {  // all outlive the object
    FunctionRegistry& registry;
    Scheduler& scheduler;
    EventQueue& events;
    const Clock& clock;
    Random& random;
    const Place& place;
  };
  explicit InvokeApi(const Parts& parts);

  // The operation refers to this object.
  void AddTo(Operations& operations);

 private:
  // The request's id names the invoke in logs, and in the answer.
  boost::asio::awaitable<http::Response> Invoke(ApiCall call);
  boost::asio::awaitable<http::Reply> InvokeStream(ApiCall call);

  enum class Type { kRequestResponse, kEvent, kDryRun };
  struct Call {
    Type type = Type::kRequestResponse;
    std::shared_ptr<Invocation> invocation;
    std::string function;
    std::string qualifier;  // as given
    std::string version;    // to run
  };

  std::expected<Call, ApiError> Read(const Route& route, http::Request& request,
                                     const std::string& request_id);

  Parts parts_;
};

}  // namespace kelvin::service
