// Arbitrary requests through the canonicalisation that clients sign and servers check by; a
// canonical query is its own canonical form.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "aws/sigv4.h"

namespace {

// Takes a line off `rest`.
std::string_view Line(std::string_view& rest) {
  const std::string_view line = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(line.size() + 1, rest.size()));
  return line;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kelvin::aws;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const std::string_view method = Line(rest);
  const std::string_view target = Line(rest);
  kelvin::http::Headers headers;
  while (!rest.empty()) {
    const std::string_view line = Line(rest);
    const std::size_t colon = std::min(line.find(':'), line.size());
    headers.Add(line.substr(0, colon), line.substr(std::min(colon + 1, line.size())));
  }
  const std::string query = CanonicalQuery(target);
  if (CanonicalQuery(query) != query) std::abort();
  for (const PathRule rule : {PathRule::kNormalize, PathRule::kAsSent}) {
    Signer signer({"id", "secret", "token"}, "us-east-1", "service", {.path_rule = rule});
    signer.Sign(method, target, rest, kelvin::Clock::WallTime{}, headers);
  }
  if (!headers.Get("Authorization").starts_with("AWS4-HMAC-SHA256 Credential=id/19700101/")) {
    std::abort();
  }
  return 0;
}
