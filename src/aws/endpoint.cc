#include "aws/endpoint.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <fmt/format.h>

namespace kelvin::aws {
namespace {

struct Partition {
  std::string_view region_prefix;
  std::string_view dns_suffix;
};

// The partitions whose names do not end in amazonaws.com (us-gov's do).
constexpr std::array<Partition, 6> kPartitions = {{{"cn-", "amazonaws.com.cn"},
                                                   {"us-iso-", "c2s.ic.gov"},
                                                   {"us-isob-", "sc2s.sgov.gov"},
                                                   {"us-isof-", "csp.hci.ic.gov"},
                                                   {"eu-isoe-", "cloud.adc-e.uk"},
                                                   {"eusc-", "amazonaws.eu"}}};

std::string_view DnsSuffix(std::string_view region) {
  for (const Partition& partition : kPartitions) {
    if (region.starts_with(partition.region_prefix)) return partition.dns_suffix;
  }
  return "amazonaws.com";
}

int DefaultPort(Scheme scheme) {
  return scheme == Scheme::kHttps ? 443 : 80;
}

std::unexpected<Error> BadUrl(std::string_view url) {
  return std::unexpected(
      Error{ErrorCode::kInvalidArgument,
            fmt::format("expected a URL such as http://127.0.0.1:9001, got '{}'", url)});
}

std::optional<int> ParsePort(std::string_view digits) {
  int port = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (failure != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return port >= 1 && port <= 65535 ? std::optional(port) : std::nullopt;
}

bool IsHostCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_';
}

bool IsPathCharacter(char c) {
  return c > ' ' && c < 0x7f && c != '?' && c != '#';
}

// Fills `address` from "host", "host:port", "[v6]" or "[v6]:port".
bool ParseAuthority(std::string_view text, Scheme scheme, http::Endpoint& address) {
  std::string_view host;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return false;
    host = text.substr(1, close - 1);
    text.remove_prefix(close + 1);
    if (host.find(':') == std::string_view::npos ||
        host.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos) {
      return false;
    }
  } else {
    host = text.substr(0, text.find(':'));
    text.remove_prefix(host.size());
    if (host.empty() || !std::ranges::all_of(host, IsHostCharacter)) return false;
  }
  const auto port = text.empty()          ? DefaultPort(scheme)
                    : text.front() == ':' ? ParsePort(text.substr(1))
                                          : std::nullopt;
  if (!port) return false;
  address = http::Endpoint{std::string(host), *port};
  return true;
}

std::string UpperCase(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

}  // namespace

std::string ServiceEndpoint::HostHeader() const {
  const bool v6 = address.host.find(':') != std::string::npos;
  std::string out = v6 ? fmt::format("[{}]", address.host) : address.host;
  if (address.port != DefaultPort(scheme))
    fmt::format_to(std::back_inserter(out), ":{}", address.port);
  return out;
}

std::expected<ServiceEndpoint, Error> ParseEndpointUrl(std::string_view url) {
  ServiceEndpoint endpoint;
  std::string_view rest = url;
  if (rest.starts_with("http://")) {
    endpoint.scheme = Scheme::kHttp;
    rest.remove_prefix(7);
  } else if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else {
    return BadUrl(url);
  }
  const std::string_view authority = rest.substr(0, rest.find('/'));
  std::string_view path = rest.substr(authority.size());
  while (path.ends_with('/')) path.remove_suffix(1);
  if (!ParseAuthority(authority, endpoint.scheme, endpoint.address) ||
      !std::ranges::all_of(path, IsPathCharacter)) {
    return BadUrl(url);
  }
  endpoint.base_path = path;
  return endpoint;
}

std::expected<ServiceEndpoint, Error> FindEndpoint(std::string_view service,
                                                   std::string_view region,
                                                   const EnvironmentLookup& lookup,
                                                   std::string_view url) {
  if (!url.empty()) return ParseEndpointUrl(url);
  for (const std::string& name :
       {fmt::format("AWS_ENDPOINT_URL_{}", UpperCase(service)), std::string("AWS_ENDPOINT_URL")}) {
    const auto value = lookup(name);
    if (!value || value->empty()) continue;
    auto endpoint = ParseEndpointUrl(*value);
    if (!endpoint) {
      endpoint.error().message = fmt::format("{}: {}", name, endpoint.error().message);
    }
    return endpoint;
  }
  return ServiceEndpoint{
      Scheme::kHttps, {fmt::format("{}.{}.{}", service, region, DnsSuffix(region)), 443}, {}};
}

}  // namespace kelvin::aws
