#include "http/response_writer.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <ostream>  // Boost's string_view needs it and does not say so

#include <boost/beast/http/status.hpp>

namespace kelvin::http {
namespace {

void AppendNumber(std::string& out, std::size_t number) {
  char digits[20];
  out.append(digits, std::to_chars(std::begin(digits), std::end(digits), number).ptr);
}

void AppendTwoDigits(std::string& out, int number) {
  out.push_back(static_cast<char>('0' + number / 10));
  out.push_back(static_cast<char>('0' + number % 10));
}

// As RFC 9110 wants it: "Sun, 06 Nov 1994 08:49:37 GMT", whatever the locale.
void AppendDate(std::string& out, std::time_t now) {
  static constexpr std::string_view kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  out.append(kDays[utc.tm_wday]).append(", ");
  AppendTwoDigits(out, utc.tm_mday);
  out.append(" ").append(kMonths[utc.tm_mon]).append(" ");
  AppendNumber(out, static_cast<std::size_t>(utc.tm_year) + 1900);
  out.append(" ");
  AppendTwoDigits(out, utc.tm_hour);
  out.append(":");
  AppendTwoDigits(out, utc.tm_min);
  out.append(":");
  AppendTwoDigits(out, utc.tm_sec);
  out.append(" GMT");
}

// The same for all answers of a second.
void AppendDateOf(std::string& out, std::time_t now) {
  thread_local std::time_t second = -1;
  thread_local std::string date;
  if (second != now) {
    date.clear();
    AppendDate(date, now);
    second = now;
  }
  out.append(date);
}

void AppendValue(std::string& out, std::string_view value) {
  const auto start = static_cast<std::ptrdiff_t>(out.size());
  out.append(value);
  std::replace_if(
      out.begin() + start, out.end(), [](char c) { return c == '\r' || c == '\n'; }, ' ');
}

}  // namespace

std::string_view ReasonPhrase(int status) {
  namespace beast_http = boost::beast::http;
  const auto known = beast_http::int_to_status(static_cast<unsigned>(status));
  if (known == beast_http::status::unknown) return "Unknown";
  const auto text = beast_http::obsolete_reason(known);
  return {text.data(), text.size()};
}

void AppendResponseHead(const Response& response, AfterAnswer after, std::time_t now,
                        std::string& out, BodyForm form) {
  out.append("HTTP/1.1 ");
  AppendNumber(out, static_cast<std::size_t>(response.status));
  out.append(" ").append(ReasonPhrase(response.status)).append("\r\nDate: ");
  AppendDateOf(out, now);
  out.append("\r\n");
  for (const auto& [name, value] : response.headers) {
    out.append(name).append(": ");
    AppendValue(out, value);
    out.append("\r\n");
  }
  if (form == BodyForm::kChunked) {
    out.append("Transfer-Encoding: chunked\r\n");
  } else if (response.status != 204) {
    out.append("Content-Length: ");
    AppendNumber(out, response.body.size());
    out.append("\r\n");
  }
  if (after == AfterAnswer::kClose) out.append("Connection: close\r\n");
  out.append("\r\n");
}

}  // namespace kelvin::http
