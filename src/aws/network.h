#pragma once

#include <memory>

#include "aws/dns.h"
#include "aws/endpoint.h"
#include "aws/environment.h"
#include "aws/tls.h"
#include "base/clock.h"
#include "http/stream.h"

namespace kelvin::aws {

struct NetworkOptions {
  DnsOptions dns = {};
  TlsOptions tls = {};
};

// The network as a client in production uses it: TCP by name or address, with TLS for kHttps. Opens
// and reads nothing before the first connect. The clock outlives it.
std::unique_ptr<http::Connector> NewConnector(Scheme scheme, const Clock& clock,
                                              NetworkOptions options = {});

// AWS_CA_BUNDLE: a file of further certificates to trust.
NetworkOptions NetworkOptionsFromEnvironment(const EnvironmentLookup& lookup);

}  // namespace kelvin::aws
