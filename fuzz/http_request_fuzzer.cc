// An HTTP request in pieces of any size: nothing may be read twice, kept over the limits or crash.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "http/request_parser.h"
#include "http/response_writer.h"

namespace {

constexpr kelvin::http::RequestParser::Limits kLimits{
    .max_header_bytes = 4096, .max_body_bytes = 1000, .max_discarded_bytes = 5000};

void Check(bool promise) {
  if (!promise) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = 1 + data[0];
  const std::string wire(reinterpret_cast<const char*>(data) + 1, size - 1);
  kelvin::http::Request request;
  kelvin::http::RequestParser parser(request, kLimits);
  std::string pending;
  for (std::size_t at = 0; at < wire.size(); at += piece) {
    pending.append(wire, at, piece);
    const std::size_t used = parser.Put(pending);
    Check(used <= pending.size());
    Check(request.body.size() <= kLimits.max_body_bytes);
    pending.erase(0, used);
    if (parser.done() || parser.problem() != kelvin::http::RequestParser::Problem::kNone) break;
  }
  if (!parser.done()) return 0;
  // What came in may go out again, in one header at most.
  kelvin::http::Response response{200, {{"X-Echo", request.target + request.body}}, {}};
  std::string head;
  kelvin::http::AppendResponseHead(response, kelvin::http::AfterAnswer::kKeepOpen, 0, head);
  Check(std::ranges::count(head, '\n') == 5);
  return 0;
}
