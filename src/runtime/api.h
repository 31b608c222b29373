#pragma once

#include <expected>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "http/client.h"
#include "kelvin/context.h"
#include "runtime/error_document.h"

namespace kelvin::runtime {

// What one GET .../next gave. The views point into it.
struct Invocation {
  InvocationInfo info;
  std::string_view payload;
};

// The Runtime API's client: one connection, one invocation at a time. Not thread-safe.
//
// Errors, whatever the call:
//   kUnavailable        the API cannot be reached, or hung up before it answered
//   kResourceExhausted  413: what was posted is too large
//   kPermissionDenied   403: not in this state, as after a first response
//   kInvalidArgument    400: the API does not know the request id, or the like
//   kCorrupt            the answer is not what the Runtime API gives
//   kInternal           500: the API says that it cannot go on
class Api {
 public:
  // The connector outlives the object.
  Api(http::Connector& connector, http::Endpoint endpoint);

  // Waits without limit for the next invocation, which holds until the next call of Next.
  std::expected<Invocation, Error> Next();
  std::expected<void, Error> PostResponse(std::string_view request_id, std::string_view body);
  std::expected<void, Error> PostError(std::string_view request_id, const ErrorDocument& error);
  std::expected<void, Error> PostInitError(const ErrorDocument& error);

  // A response in pieces, of which the first may be empty. EndStream says that it is whole, or,
  // with an error, that it broke off there.
  std::expected<void, Error> BeginStream(std::string_view request_id, std::string_view content_type,
                                         std::string_view piece);
  std::expected<void, Error> StreamPiece(std::string_view piece);
  std::expected<void, Error> EndStream(const ErrorDocument* error);

 private:
  std::expected<void, Error> Post(std::string_view target, std::string_view body,
                                  const http::Headers& headers);
  std::expected<void, Error> PostDocument(std::string_view target, const ErrorDocument& error);
  std::string_view Target(std::string_view request_id, std::string_view what);
  std::expected<void, Error> Streamed(std::expected<void, Error> sent) const;

  http::Client client_;
  http::Response next_;
  http::Response posted_;
  std::string target_;
  http::Headers json_;
};

}  // namespace kelvin::runtime
