#pragma once

#include <expected>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "http/stream.h"

namespace kelvin::aws {

struct TlsOptions {
  // Certificates (PEM) trusted beside the embedded Amazon roots, as AWS_CA_BUNDLE names them.
  std::string ca_file = {};
};

// TLS 1.2 and 1.3 over another connector's streams, with the peer's certificate and name checked.
// Costs nothing before the first connect, which loads the roots (about a millisecond); later ones
// resume the session. Fails with kPermissionDenied when the peer is not who it should be,
// kInvalidArgument when the CA file cannot be used, else as `below`. Not thread-safe; `below` and
// the clock (for the validity of certificates) outlive it and its streams.
class TlsConnector final : public http::Connector {
 public:
  TlsConnector(http::Connector& below, const Clock& clock, TlsOptions options = {});
  ~TlsConnector() override;
  TlsConnector(const TlsConnector&) = delete;
  TlsConnector& operator=(const TlsConnector&) = delete;

  std::expected<std::unique_ptr<http::Stream>, Error> Connect(const http::Endpoint& endpoint,
                                                              Clock::TimePoint deadline) override;

 private:
  class Library;

  http::Connector& below_;
  const Clock& clock_;
  TlsOptions options_;
  std::shared_ptr<Library> library_;
};

}  // namespace kelvin::aws
