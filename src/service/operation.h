#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "http/server.h"
#include "service/router.h"

namespace kelvin::service {

// One request of the Lambda API on its way to what answers it.
struct ApiCall {
  Route route;
  http::Request request;
  std::string request_id;
};

using Operation = std::function<boost::asio::awaitable<http::Reply>(ApiCall)>;

// An operation of one whose answer comes whole.
template <typename Call>
Operation WholeAnswer(Call call) {
  return [call](ApiCall asked) -> boost::asio::awaitable<http::Reply> {
    http::Response response = co_await call(std::move(asked));
    co_return http::Reply(std::move(response));
  };
}

// By AWS's name of the call. Each part of the API adds its own.
using Operations = std::map<std::string_view, Operation>;

}  // namespace kelvin::service
