#pragma once

#include <expected>
#include <memory>
#include <string_view>

#include "aws/credential_provider.h"
#include "aws/endpoint.h"
#include "aws/sigv4.h"
#include "base/clock.h"
#include "base/error.h"
#include "http/client.h"

namespace kelvin::aws {

// Sends signed requests to one service over one kept-alive connection. Blocking; not thread-safe.
// The connector and the clock outlive it. With `credentials` they are asked for at each request,
// and those of the signer count for nothing.
class SignedClient {
 public:
  SignedClient(http::Connector& connector, const Clock& clock, ServiceEndpoint endpoint,
               Signer signer, std::shared_ptr<CredentialProvider> credentials = nullptr);

  // `target` comes after the endpoint's own path. `headers` are those of the service; Host and the
  // signature are added. What may not be sent twice (Resend::kNo) goes over a new connection when
  // the old one has been idle for long enough that the peer may have closed it. Any HTTP answer is
  // a success here; errors as http::Client::Send, or those of the
  // credentials.
  std::expected<void, Error> Send(std::string_view method, std::string_view target,
                                  http::Headers headers, std::string_view body,
                                  http::Response& response, Clock::TimePoint deadline,
                                  http::Resend resend);

 private:
  const Clock& clock_;
  ServiceEndpoint endpoint_;
  Signer signer_;
  std::shared_ptr<CredentialProvider> credentials_;
  http::Client client_;
  Clock::TimePoint last_used_{};
};

}  // namespace kelvin::aws
