#include "aws/network.h"

#include <utility>

namespace kelvin::aws {
namespace {

class NamedNetwork final : public http::Connector {
 public:
  explicit NamedNetwork(DnsOptions dns) : resolver_(std::move(dns)) {}
  std::expected<std::unique_ptr<http::Stream>, Error> Connect(const http::Endpoint& endpoint,
                                                              Clock::TimePoint deadline) override {
    return names_.Connect(endpoint, deadline);
  }

 private:
  http::TcpConnector tcp_;
  DnsResolver resolver_;
  NameConnector names_{resolver_, tcp_};
};

class SecureNetwork final : public http::Connector {
 public:
  SecureNetwork(const Clock& clock, NetworkOptions options)
      : network_(std::move(options.dns)), tls_(network_, clock, std::move(options.tls)) {}
  std::expected<std::unique_ptr<http::Stream>, Error> Connect(const http::Endpoint& endpoint,
                                                              Clock::TimePoint deadline) override {
    return tls_.Connect(endpoint, deadline);
  }

 private:
  NamedNetwork network_;
  TlsConnector tls_;
};

}  // namespace

std::unique_ptr<http::Connector> NewConnector(Scheme scheme, const Clock& clock,
                                              NetworkOptions options) {
  if (scheme == Scheme::kHttp) return std::make_unique<NamedNetwork>(std::move(options.dns));
  return std::make_unique<SecureNetwork>(clock, std::move(options));
}

NetworkOptions NetworkOptionsFromEnvironment(const EnvironmentLookup& lookup) {
  NetworkOptions options;
  options.tls.ca_file = lookup("AWS_CA_BUNDLE").value_or("");
  return options;
}

}  // namespace kelvin::aws
