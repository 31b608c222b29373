#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "aws/environment.h"
#include "base/error.h"
#include "http/message.h"

namespace kelvin::aws {

enum class Scheme { kHttp, kHttps };

// Where a service is.
struct ServiceEndpoint {
  Scheme scheme = Scheme::kHttps;
  http::Endpoint address;
  std::string base_path;  // before every path: empty, or "/prefix" without a final slash

  // As it stands in a Host header: without the scheme's own port, IPv6 in brackets.
  std::string HostHeader() const;
};

// "http://host[:port][/prefix]" or https. Fails with kInvalidArgument, saying what was expected.
std::expected<ServiceEndpoint, Error> ParseEndpointUrl(std::string_view url);

// The endpoint of `service` ("dynamodb", "lambda"): `url` when not empty, else
// AWS_ENDPOINT_URL_<SERVICE>, else AWS_ENDPOINT_URL, else AWS's own for the region, in the right
// partition. Fails when a URL is malformed, naming where it came from.
std::expected<ServiceEndpoint, Error> FindEndpoint(std::string_view service,
                                                   std::string_view region,
                                                   const EnvironmentLookup& lookup,
                                                   std::string_view url = {});

}  // namespace kelvin::aws
