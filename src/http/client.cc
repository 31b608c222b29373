#include "http/client.h"

#include <charconv>

#include <boost/beast/http/basic_parser.hpp>
#include <fmt/format.h>

namespace kelvin::http {
namespace {

namespace beast = boost::beast;
using ErrorCodeRef = beast::error_code&;

constexpr std::size_t kReadChunk = 16 * 1024;

void AppendNumber(std::string& out, std::size_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

bool HasBodyByMethod(std::string_view method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

}  // namespace

// Beast's parser, filling our Response in place.
class Client::Parser final : public beast::http::basic_parser<false> {
 public:
  Parser(Response& response, const ClientLimits& limits) : response_(response) {
    header_limit(static_cast<std::uint32_t>(limits.max_header_bytes));
    body_limit(limits.max_body_bytes);
    eager(true);
    response_.status = 0;
    response_.headers.clear();
    response_.body.clear();
  }

 private:
  using string_view = beast::string_view;

  void on_request_impl(beast::http::verb, string_view, string_view, int, ErrorCodeRef) override {}
  void on_response_impl(int code, string_view, int, ErrorCodeRef) override {
    response_.status = code;
  }
  void on_field_impl(beast::http::field, string_view name, string_view value,
                     ErrorCodeRef) override {
    response_.headers.Add({name.data(), name.size()}, {value.data(), value.size()});
  }
  void on_header_impl(ErrorCodeRef) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, ErrorCodeRef) override {
    // A false length must not make us reserve what never comes.
    if (length) response_.body.reserve(std::min<std::uint64_t>(*length, 8 << 20));
  }
  std::size_t on_body_impl(string_view bytes, ErrorCodeRef) override {
    response_.body.append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_chunk_header_impl(std::uint64_t, string_view, ErrorCodeRef) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view bytes, ErrorCodeRef) override {
    response_.body.append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_finish_impl(ErrorCodeRef) override {}

  Response& response_;
};

Client::Client(Connector& connector, Endpoint endpoint, ClientLimits limits)
    : connector_(connector), endpoint_(std::move(endpoint)), limits_(limits) {
  const bool v6 = endpoint_.host.find(':') != std::string::npos;
  host_header_ =
      fmt::format(fmt::runtime(v6 ? "[{}]:{}" : "{}:{}"), endpoint_.host, endpoint_.port);
}

Client::~Client() = default;

void Client::Disconnect() {
  stream_.reset();
  buffer_.clear();
}

std::expected<Response, Error> Client::Send(const Request& request, Clock::TimePoint deadline,
                                            Resend resend) {
  Response response;
  auto sent = Send(RequestView{request.method, request.target, &request.headers, request.body},
                   response, deadline, resend);
  if (!sent) return std::unexpected(std::move(sent.error()));
  return response;
}

std::expected<void, Error> Client::Send(const RequestView& request, Response& response,
                                        Clock::TimePoint deadline, Resend resend) {
  const bool reused = connected();
  Progress progress = Progress::kNothingCame;
  auto sent = SendOnce(request, response, deadline, progress);
  if (sent) return sent;
  Disconnect();
  // The peer may have closed an idle connection at any time; that is no failure of this request.
  if (reused && progress == Progress::kNothingCame && resend == Resend::kYes &&
      sent.error().code == ErrorCode::kUnavailable) {
    sent = SendOnce(request, response, deadline, progress);
    if (!sent) Disconnect();
  }
  return sent;
}

std::expected<void, Error> Client::SendOnce(const RequestView& request, Response& response,
                                            Clock::TimePoint deadline, Progress& progress) {
  if (auto connection = Connect(deadline); !connection) return connection;
  BuildHead(request, BodyForm::kWhole);
  auto written = stream_->Write(head_, request.body, deadline);
  if (!written) {
    // A server that refuses a large body answers and closes before it has read all: the answer
    // is worth more than our broken pipe.
    if (written.error().code != ErrorCode::kUnavailable) return written;
    auto answered = ReadResponse(request, response, deadline, progress);
    Disconnect();
    return answered && response.status != 0 ? answered : written;
  }
  return ReadResponse(request, response, deadline, progress);
}

std::expected<void, Error> Client::Connect(Clock::TimePoint deadline) {
  if (connected()) return {};
  auto stream = connector_.Connect(endpoint_, deadline);
  if (!stream) return std::unexpected(std::move(stream.error()));
  stream_ = std::move(*stream);
  return {};
}

void Client::BuildHead(const RequestView& request, BodyForm form) {
  head_.clear();
  head_.append(request.method).append(" ").append(request.target).append(" HTTP/1.1\r\nHost: ");
  const std::string_view host =
      request.headers != nullptr ? request.headers->Get("Host") : std::string_view{};
  head_.append(host.empty() ? std::string_view(host_header_) : host).append("\r\n");
  if (form == BodyForm::kChunked) {
    head_.append("Transfer-Encoding: chunked\r\n");
  } else if (!request.body.empty() || HasBodyByMethod(request.method)) {
    head_.append("Content-Length: ");
    AppendNumber(head_, request.body.size());
    head_.append("\r\n");
  }
  if (request.headers != nullptr) {
    for (const auto& [name, value] : *request.headers) {
      if (EqualsIgnoringCase(name, "Host") || EqualsIgnoringCase(name, "Content-Length")) continue;
      head_.append(name).append(": ").append(value).append("\r\n");
    }
  }
  head_.append("\r\n");
}

std::expected<void, Error> Client::ReadResponse(const RequestView& request, Response& response,
                                                Clock::TimePoint deadline, Progress& progress) {
  for (;;) {
    Parser parser(response, limits_);
    if (request.method == "HEAD") parser.skip(true);
    while (!parser.is_done()) {
      if (!buffer_.empty()) {
        beast::error_code failure;
        const std::size_t used =
            parser.put(boost::asio::const_buffer(buffer_.data(), buffer_.size()), failure);
        buffer_.erase(0, used);
        if (failure == beast::http::error::body_limit) {
          return std::unexpected(
              Error{ErrorCode::kResourceExhausted,
                    fmt::format("expected an answer of at most {} bytes", limits_.max_body_bytes)});
        }
        if (failure && failure != beast::http::error::need_more) {
          return std::unexpected(
              Error{ErrorCode::kCorrupt, fmt::format("expected an HTTP/1.1 answer from {}, got: {}",
                                                     host_header_, failure.message())});
        }
        if (parser.is_done()) break;
      }
      const std::size_t had = buffer_.size();
      std::expected<std::size_t, Error> got;
      // Not resize: it would write, and so page in, all that the answer does not need.
      buffer_.resize_and_overwrite(had + kReadChunk, [&](char* bytes, std::size_t) {
        got = stream_->Read(std::span(bytes + had, kReadChunk), deadline);
        return had + got.value_or(0);
      });
      if (!got) return std::unexpected(std::move(got.error()));
      if (*got == 0) {
        beast::error_code failure;
        if (parser.got_some()) parser.put_eof(failure);
        if (parser.got_some() && !failure && parser.is_done()) break;
        return std::unexpected(
            Error{ErrorCode::kUnavailable,
                  fmt::format("{} closed the connection before it answered", host_header_)});
      }
      progress = Progress::kPartCame;
    }
    const bool keep = parser.keep_alive();
    if (response.status / 100 == 1) continue;  // 100 Continue and its like precede the answer
    if (!keep) Disconnect();
    return {};
  }
}

std::expected<void, Error> Client::BeginBody(const RequestView& request, std::string_view piece,
                                             Response& response, Clock::TimePoint deadline) {
  response.status = 0;
  const bool reused = connected();
  std::expected<void, Error> written;
  for (int attempt = 0; attempt < (reused ? 2 : 1); ++attempt) {
    if (auto connection = Connect(deadline); !connection) return connection;
    BuildHead(request, BodyForm::kChunked);
    written = WritePiece(piece, deadline);
    if (written || written.error().code != ErrorCode::kUnavailable) break;
    // The peer may have closed an idle connection at any time.
    if (attempt == 0 && reused) Disconnect();
  }
  return OrEarlyAnswer(std::move(written), response, deadline);
}

std::expected<void, Error> Client::SendPiece(std::string_view piece, Response& response,
                                             Clock::TimePoint deadline) {
  response.status = 0;
  if (piece.empty()) return {};
  if (!connected()) return std::unexpected(Error{ErrorCode::kUnavailable, "the request is over"});
  head_.clear();
  return OrEarlyAnswer(WritePiece(piece, deadline), response, deadline);
}

std::expected<void, Error> Client::EndBody(const Headers& trailers, Response& response,
                                           Clock::TimePoint deadline) {
  response.status = 0;
  if (!connected()) return std::unexpected(Error{ErrorCode::kUnavailable, "the request is over"});
  head_ = "0\r\n";
  for (const auto& [name, value] : trailers) {
    head_.append(name).append(": ").append(value).append("\r\n");
  }
  head_.append("\r\n");
  auto written = stream_->Write(head_, {}, deadline);
  if (!written) return OrEarlyAnswer(std::move(written), response, deadline);
  Progress progress = Progress::kNothingCame;
  auto answered =
      ReadResponse({.method = "POST", .target = {}, .body = {}}, response, deadline, progress);
  if (!answered) Disconnect();
  return answered;
}

std::expected<void, Error> Client::WritePiece(std::string_view piece, Clock::TimePoint deadline) {
  if (piece.empty()) return stream_->Write(head_, {}, deadline);
  head_ += fmt::format("{:x}\r\n", piece.size());
  // Copying a small piece is cheaper than a second call to the kernel.
  if (piece.size() <= kReadChunk) {
    head_.append(piece).append("\r\n");
    return stream_->Write(head_, {}, deadline);
  }
  auto written = stream_->Write(head_, piece, deadline);
  if (!written) return written;
  return stream_->Write("\r\n", {}, deadline);
}

// As for a whole body: the answer is worth more than our broken pipe.
std::expected<void, Error> Client::OrEarlyAnswer(std::expected<void, Error> written,
                                                 Response& response, Clock::TimePoint deadline) {
  if (written) return written;
  if (written.error().code == ErrorCode::kUnavailable && connected()) {
    Progress progress = Progress::kNothingCame;
    const auto answered =
        ReadResponse({.method = "POST", .target = {}, .body = {}}, response, deadline, progress);
    if (!answered) response.status = 0;
  }
  Disconnect();
  return written;
}

}  // namespace kelvin::http
