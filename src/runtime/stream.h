#pragma once

#include <optional>
#include <string>

#include "kelvin/streaming.h"
#include "runtime/api.h"

namespace kelvin::runtime {

// One streamed response on its way to the Runtime API. The API and the id outlive it.
class ApiStream final : public ResponseStream {
 public:
  ApiStream(Api& api, std::string_view request_id) : api_(api), request_id_(request_id) {}

  void SetContentType(std::string_view type) override;
  void SetHead(const HttpHead& head) override;
  std::expected<void, HandlerError> Write(std::string_view bytes) override;

  // Whether something was sent: then the response has begun, and an error can only follow it.
  bool begun() const { return begun_; }
  // Nothing more comes. Errors as those of Api; what broke before is told again.
  std::expected<void, Error> Finish();
  std::expected<void, Error> Fail(const ErrorDocument& error);

 private:
  std::expected<void, Error> Begin(std::string_view bytes);

  Api& api_;
  std::string_view request_id_;
  std::string content_type_ = "application/octet-stream";
  std::string prelude_;
  bool begun_ = false;
  std::optional<Error> failure_;
};

}  // namespace kelvin::runtime
