// Any bytes as a DNS answer, a hosts file or an endpoint's URL.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "aws/dns_message.h"
#include "aws/endpoint.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kelvin::aws;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)AddressesInDnsAnswer(text);
  (void)AddressesInHostsFile(text, "host.example");
  const auto endpoint = ParseEndpointUrl(text);
  if (endpoint && (endpoint->address.host.empty() || endpoint->address.port < 1)) std::abort();
  return 0;
}
