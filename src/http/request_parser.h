#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include <boost/beast/http/basic_parser.hpp>

#include "http/message.h"

namespace kelvin::http {

// Reads one HTTP/1.x request out of bytes as they come, into a Request whose memory is reused.
class RequestParser {
 public:
  struct Limits {
    std::size_t max_header_bytes;
    std::size_t max_body_bytes;       // beyond: too_large(), and the body is thrown away
    std::size_t max_discarded_bytes;  // beyond: Problem::kBodyTooLarge
  };
  enum class Problem { kNone, kMalformed, kHeaderTooLarge, kBodyTooLarge };

  // `request` is emptied, and outlives the parser.
  RequestParser(Request& request, const Limits& limits);

  // Takes in bytes; returns how many it used: the rest must be given again, with more after it,
  // unless done() (then they belong to the next request) or problem().
  std::size_t Put(std::span<const char> bytes);

  Problem problem() const { return problem_; }
  bool head_done() const { return parser_.is_header_done(); }
  // Of the fields so far, how many came before the body; those behind a chunked one follow.
  std::size_t head_fields() const { return parser_.head_fields; }
  bool done() const { return parser_.is_done(); }
  // The body is, or says it will be, longer than the limit.
  bool too_large() const {
    return parser_.too_large || parser_.content_length().value_or(0) > parser_.max_body_bytes;
  }
  // The head asks for "100 Continue" before the body is sent.
  bool expects_continue() const { return parser_.expects_continue; }
  bool keep_alive() const { return parser_.keep_alive(); }

 private:
  struct Parser final : boost::beast::http::basic_parser<true> {
    using string_view = boost::beast::string_view;
    using ErrorCodeRef = boost::beast::error_code&;

    explicit Parser(Request& into) : request(into) {}

    void on_request_impl(boost::beast::http::verb, string_view method, string_view target, int,
                         ErrorCodeRef) override;
    void on_response_impl(int, string_view, int, ErrorCodeRef) override {}
    void on_field_impl(boost::beast::http::field, string_view name, string_view value,
                       ErrorCodeRef) override;
    void on_header_impl(ErrorCodeRef) override { head_fields = request.headers.size(); }
    void on_body_init_impl(const boost::optional<std::uint64_t>& length, ErrorCodeRef) override;
    std::size_t on_body_impl(string_view bytes, ErrorCodeRef) override;
    void on_chunk_header_impl(std::uint64_t, string_view, ErrorCodeRef) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, string_view bytes, ErrorCodeRef) override;
    void on_finish_impl(ErrorCodeRef) override {}

    Request& request;
    std::size_t max_body_bytes = 0;
    std::size_t head_fields = 0;
    bool too_large = false;
    bool expects_continue = false;
  };

  Parser parser_;
  Problem problem_ = Problem::kNone;
};

}  // namespace kelvin::http
