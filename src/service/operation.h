#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "http/message.h"
#include "service/router.h"

namespace kelvin::service {

// One request of the Lambda API on its way to what answers it.
struct ApiCall {
  Route route;
  http::Request request;
  std::string request_id;
};

using Operation = std::function<boost::asio::awaitable<http::Response>(ApiCall)>;
// By AWS's name of the call. Each part of the API adds its own.
using Operations = std::map<std::string_view, Operation>;

}  // namespace kelvin::service
