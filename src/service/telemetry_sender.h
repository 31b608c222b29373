#pragma once

#include <expected>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "base/error.h"
#include "service/extension_request.h"

namespace kelvin::service {

// Brings telemetry to a listener in a sandbox: the seam for that network.
class TelemetrySender {
 public:
  virtual ~TelemetrySender() = default;
  // Fails with kUnavailable when nobody takes it. May take as long as the listener does: it is
  // frozen between invokes. Used from the executor's thread; outlives what it started.
  virtual boost::asio::awaitable<std::expected<void, Error>> Send(
      TelemetryDestination destination, std::shared_ptr<const std::string> body) = 0;
};

// Sends to 127.0.0.1, which sandboxes share with the service: by POST, or on a connection for each
// batch.
std::unique_ptr<TelemetrySender> NewLoopbackSender();

}  // namespace kelvin::service
