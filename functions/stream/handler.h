#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>

#include <boost/describe/class.hpp>
#include <kelvin/kelvin.h>

namespace stream {

// An event of one's own, or what a function URL makes of a request: there rows come as ?rows=3.
struct Request {
  std::optional<std::int64_t> rows = {};
  std::optional<std::int64_t> fail_after = {};
  std::optional<std::string> rawPath = {};
  std::optional<std::map<std::string, std::string>> queryStringParameters = {};
};
BOOST_DESCRIBE_STRUCT(Request, (), (rows, fail_after, rawPath, queryStringParameters))

// Writes "number,square" for the numbers from 1 to `rows` (10 by default); fails after `fail_after`
// of them.
std::expected<void, kelvin::HandlerError> Export(const Request& request,
                                                 const kelvin::Context& context,
                                                 kelvin::ResponseStream& response);

}  // namespace stream
