#include "http/request_parser.h"

#include <algorithm>

namespace kelvin::http {

namespace beast = boost::beast;

namespace {

// A false Content-Length must not make us reserve what never comes.
constexpr std::uint64_t kMostReserved = std::uint64_t{8} << 20;

RequestParser::Problem ProblemOf(const beast::error_code& error) {
  if (error == beast::http::error::header_limit) return RequestParser::Problem::kHeaderTooLarge;
  if (error == beast::http::error::body_limit) return RequestParser::Problem::kBodyTooLarge;
  return RequestParser::Problem::kMalformed;
}

}  // namespace

RequestParser::RequestParser(Request& request, const Limits& limits) : parser_(request) {
  request.method.clear();
  request.target.clear();
  request.headers.clear();
  request.body.clear();
  parser_.header_limit(static_cast<std::uint32_t>(limits.max_header_bytes));
  parser_.body_limit(std::max(limits.max_body_bytes, limits.max_discarded_bytes));
  parser_.max_body_bytes = limits.max_body_bytes;
  parser_.eager(true);
}

std::size_t RequestParser::Put(std::span<const char> bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && !parser_.is_done()) {
    beast::error_code error;
    const std::size_t took =
        parser_.put(boost::asio::buffer(bytes.data() + used, bytes.size() - used), error);
    used += took;
    if (error == beast::http::error::need_more) break;
    if (error) {
      problem_ = ProblemOf(error);
      break;
    }
    if (took == 0) break;
  }
  return used;
}

void RequestParser::Parser::on_request_impl(beast::http::verb, string_view method,
                                            string_view target, int, ErrorCodeRef) {
  request.method.assign(method.data(), method.size());
  request.target.assign(target.data(), target.size());
}

void RequestParser::Parser::on_field_impl(beast::http::field id, string_view name,
                                          string_view value, ErrorCodeRef) {
  const std::string_view text(value.data(), value.size());
  if (id == beast::http::field::expect) expects_continue = EqualsIgnoringCase(text, "100-continue");
  request.headers.Add({name.data(), name.size()}, text);
}

void RequestParser::Parser::on_body_init_impl(const boost::optional<std::uint64_t>& length,
                                              ErrorCodeRef) {
  if (length && *length <= max_body_bytes) request.body.reserve(std::min(*length, kMostReserved));
}

std::size_t RequestParser::Parser::on_body_impl(string_view bytes, ErrorCodeRef) {
  too_large = too_large || bytes.size() > max_body_bytes - request.body.size();
  if (too_large) {
    request.body.clear();
  } else {
    request.body.append(bytes.data(), bytes.size());
  }
  return bytes.size();
}

std::size_t RequestParser::Parser::on_chunk_body_impl(std::uint64_t, string_view bytes,
                                                      ErrorCodeRef error) {
  return on_body_impl(bytes, error);
}

}  // namespace kelvin::http
