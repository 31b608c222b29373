#pragma once

#include <expected>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include "base/error.h"
#include "base/log.h"
#include "service/runtime_api.h"

namespace kelvin::service {

// An address at which one Runtime API answers, for as long as the object lives.
class RuntimeListener {
 public:
  virtual ~RuntimeListener() = default;
  // "host:port", as in AWS_LAMBDA_RUNTIME_API.
  virtual const std::string& address() const = 0;
  // Whether a process has said something there that the API has not been told yet.
  virtual bool has_unread() const = 0;
};

// Makes listeners: the seam for the network between the service and the runtimes.
class RuntimeListeners {
 public:
  virtual ~RuntimeListeners() = default;
  // `api` outlives the listener.
  virtual std::expected<std::unique_ptr<RuntimeListener>, Error> Listen(RuntimeApi& api) = 0;
};

// Listens on free ports of 127.0.0.1. The log outlives it.
std::unique_ptr<RuntimeListeners> NewTcpListeners(const boost::asio::any_io_executor& executor,
                                                  Log& log);

}  // namespace kelvin::service
