#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace kelvin::aws {

// The IPv4 and IPv6 addresses in a DNS answer (RFC 1035), as text, in the order they came. Takes
// any bytes; fails with kCorrupt when they are not a whole DNS message.
std::expected<std::vector<std::string>, Error> AddressesInDnsAnswer(std::string_view message);

// The addresses that a hosts file (hosts(5)) gives to `host`, without regard to case.
std::vector<std::string> AddressesInHostsFile(std::string_view content, std::string_view host);

}  // namespace kelvin::aws
