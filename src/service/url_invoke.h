#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "base/clock.h"
#include "base/ids.h"
#include "http/server.h"
#include "service/function_registry.h"
#include "service/scheduler.h"

namespace kelvin::service {

// Function URLs: HTTP requests become events of the payload format 2.0, and what functions answer
// becomes HTTP again, as it comes where the URL is set to stream. Used from the executor's thread.
class FunctionUrls {
 public:
  struct Parts {  // all outlive the object
    const FunctionRegistry& registry;
    Scheduler& scheduler;
    const Clock& clock;
    Random& random;
    const Place& place;
  };
  explicit FunctionUrls(const Parts& parts);

  // The id and the path behind it, when the request is for a function URL: by its path
  // (/function-urls/ID/...) or by a Host of ID.lambda-url.*.
  struct Address {
    std::string id;
    std::string target;  // path and query as the function sees them, beginning with '/'
  };
  static std::optional<Address> AddressOf(const http::Request& request);

  boost::asio::awaitable<http::Reply> Handle(Address address, http::Request request,
                                             std::string request_id);

 private:
  struct Found {
    Target target;
    FunctionUrl url;
  };
  std::optional<Found> Find(std::string_view id) const;

  Parts parts_;
};

// The event of the payload format 2.0 that stands for a request.
std::string UrlEvent(const FunctionUrls::Address& address, const http::Request& request,
                     std::string_view request_id, const Place& place, Clock::WallTime now);
// What AWS's front adds to a request: the caller's address, and how and with what trace it came.
void AddForwarding(std::string_view trace_id, http::Headers& headers);
// What a function's answer means as HTTP: an object with a statusCode is taken apart, all else is
// the body; text without its quotes. Nothing for one that has a statusCode and breaks the form.
std::optional<http::Response> UrlResponse(std::string payload);
// The head that a streamed response begins with: {"statusCode","headers","cookies"}.
std::optional<http::Response> ReadPrelude(std::string_view json);
// Adds what the URL's CORS settings allow the request's origin.
void AddCors(const Cors& cors, const http::Headers& request, http::Response& response);

}  // namespace kelvin::service
