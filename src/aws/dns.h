#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "http/stream.h"

namespace kelvin::aws {

// From a host's name to its addresses: the seam for the name service.
class Resolver {
 public:
  virtual ~Resolver() = default;
  // At least one numeric address, best first. Fails with kTimeout at `deadline`, kUnavailable when
  // the name service does not answer, kInvalidArgument when there is no such name.
  virtual std::expected<std::vector<std::string>, Error> Resolve(std::string_view host,
                                                                 Clock::TimePoint deadline) = 0;
};

struct DnsOptions {
  std::string hosts_file = "/etc/hosts";
  std::string servers = {};  // "127.0.0.1:5353,..." instead of those in /etc/resolv.conf
  std::chrono::milliseconds try_timeout{1500};
  int tries = 3;  // for each server
};

// The hosts file, then DNS by c-ares: in a static program the C library's own look-up would need
// shared libraries of the machine it was built on. IPv4 addresses come before IPv6 ones. Names are
// asked for as they are, without search domains. Nothing is read or opened before the first call.
// Not thread-safe.
class DnsResolver final : public Resolver {
 public:
  explicit DnsResolver(DnsOptions options = {}) : options_(std::move(options)) {}
  std::expected<std::vector<std::string>, Error> Resolve(std::string_view host,
                                                         Clock::TimePoint deadline) override;

 private:
  DnsOptions options_;
};

// Connects to hosts by name: numeric addresses and localhost go straight to `below`, other names
// through `resolver`, trying every address, each for its share of the time. Both outlive it.
class NameConnector final : public http::Connector {
 public:
  NameConnector(Resolver& resolver, http::Connector& below) : resolver_(resolver), below_(below) {}
  std::expected<std::unique_ptr<http::Stream>, Error> Connect(const http::Endpoint& endpoint,
                                                              Clock::TimePoint deadline) override;

 private:
  Resolver& resolver_;
  http::Connector& below_;
};

}  // namespace kelvin::aws
