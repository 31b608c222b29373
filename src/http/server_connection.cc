#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include "http/server_parts.h"

namespace kelvin::http {

namespace asio = boost::asio;
using asio::awaitable;
using asio::ip::tcp;
using boost::system::error_code;
using SteadyTime = std::chrono::steady_clock::time_point;

namespace {

// What an idle connection holds, and what one with much to read does.
constexpr std::size_t kReadBytes = 2 * 1024;
constexpr std::size_t kMostReadBytes = 64 * 1024;
constexpr std::chrono::seconds kLingerTime{2};
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

Response PlainResponse(int status, std::string_view text) {
  return {status, {{"Content-Type", "text/plain"}}, fmt::format("{}\n", text)};
}

Response ResponseTo(RequestParser::Problem problem) {
  switch (problem) {
    case RequestParser::Problem::kHeaderTooLarge:
      return PlainResponse(431, "the request's head is too large");
    case RequestParser::Problem::kBodyTooLarge:
      return PlainResponse(413, "the request's body is too large");
    default:
      return PlainResponse(400, "expected an HTTP/1.1 request");
  }
}

}  // namespace

Server::Connection::Connection(tcp::socket socket, std::shared_ptr<Loop> loop)
    : socket_(std::move(socket)),
      loop_(std::move(loop)),
      common_(loop_->common()),
      buffer_(kReadBytes) {
  loop_->Add(*this);
  ++common_.connections;
}

Server::Connection::~Connection() {
  loop_->Remove(*this);
  --common_.connections;
}

void Server::Connection::Enter(Phase phase) {
  phase_ = phase;
  if (phase == Phase::kHandling) {
    deadline_ = SteadyTime::max();
    return;
  }
  const auto timeout =
      phase == Phase::kReading ? common_.limits.request_timeout : common_.limits.idle_timeout;
  deadline_ =
      timeout > timeout.zero() ? std::chrono::steady_clock::now() + timeout : SteadyTime::max();
}

void Server::Connection::CloseIfExpired(SteadyTime now) {
  if (now < deadline_) return;
  deadline_ = SteadyTime::max();
  if (phase_ != Phase::kReading) return Close();
  timed_out_ = true;
  error_code ignored;
  socket_.cancel(ignored);
}

awaitable<void> Server::Connection::Run(std::shared_ptr<Connection> self) {
  bool open = true;
  bool all_read = true;
  while (open && !self->loop_->stopping()) {
    const Got got = co_await self->ReadRequest();
    if (got == Got::kClosed || self->loop_->dropped()) break;
    if (got == Got::kProblem) {
      Response refusal = self->Refusal();
      co_await self->Write(std::move(refusal), AfterAnswer::kClose);
      all_read = false;
      break;
    }
    self->Enter(Phase::kHandling);
    Reply reply = co_await self->Answer(got);
    all_read = self->parser_->done();
    open = all_read && self->parser_->keep_alive() && !self->loop_->stopping();
    const AfterAnswer after = open ? AfterAnswer::kKeepOpen : AfterAnswer::kClose;
    const bool written = co_await self->Send(std::move(reply), after);
    open = open && written;
  }
  error_code ignored;
  self->socket_.shutdown(tcp::socket::shutdown_send, ignored);
  if (!all_read) co_await self->Linger();
  self->Close();
}

// Closing a socket with unread bytes resets the connection, and the client may lose our answer.
awaitable<void> Server::Connection::Linger() {
  phase_ = Phase::kIdle;
  deadline_ = std::chrono::steady_clock::now() + kLingerTime;
  for (bool open = true; open;) {
    begin_ = end_ = 0;
    open = co_await ReadSome();
  }
}

awaitable<Server::Connection::Got> Server::Connection::ReadRequest() {
  const auto& limits = common_.limits;
  parser_.emplace(request_, RequestParser::Limits{limits.max_header_bytes, limits.max_body_bytes,
                                                  limits.max_discarded_bytes});
  if (end_ == begin_ && buffer_.size() > kReadBytes) {
    begin_ = end_ = 0;
    buffer_ = std::vector<char>(kReadBytes);
  }
  Enter(end_ > begin_ ? Phase::kReading : Phase::kIdle);
  bool continued = false;
  for (;;) {
    begin_ += parser_->Put({buffer_.data() + begin_, end_ - begin_});
    if (parser_->problem() != RequestParser::Problem::kNone) co_return Got::kProblem;
    if (parser_->done() && !IsToBeStreamed()) co_return Got::kRequest;
    if (parser_->head_done() && IsToBeStreamed() && !parser_->expects_continue()) {
      co_return Got::kHead;
    }
    if (parser_->head_done() && parser_->expects_continue() && !continued) {
      if (parser_->too_large()) co_return Got::kRequest;
      continued = true;
      error_code error;
      co_await asio::async_write(socket_, asio::buffer(kContinue),
                                 asio::redirect_error(asio::use_awaitable, error));
      if (error) co_return Got::kClosed;
    }
    const bool read = co_await ReadSome();
    // Bytes may have come just as the time was over.
    if (!read || timed_out_) co_return timed_out_ ? Got::kProblem : Got::kClosed;
    // A head has so much time in all, however it drips.
    if (phase_ != Phase::kReading || parser_->head_done()) Enter(Phase::kReading);
  }
}

awaitable<bool> Server::Connection::ReadSome() {
  if (begin_ == end_) {
    begin_ = end_ = 0;
  } else if (end_ == buffer_.size()) {
    // The parser wants a line or a head in one piece.
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
              buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
    end_ -= begin_;
    begin_ = 0;
    if (end_ == buffer_.size()) buffer_.resize(buffer_.size() * 2);
  }
  error_code error;
  const std::size_t room = buffer_.size() - end_;
  const std::size_t got =
      co_await socket_.async_read_some(asio::buffer(buffer_.data() + end_, buffer_.size() - end_),
                                       asio::redirect_error(asio::use_awaitable, error));
  end_ += got;
  if (got == room && buffer_.size() < kMostReadBytes) buffer_.resize(kMostReadBytes);
  co_return !error;
}

Response Server::Connection::Refusal() const {
  if (timed_out_) return PlainResponse(408, "the request came too slowly");
  return ResponseTo(parser_->problem());
}

Response Server::Connection::TooLargeAnswer() const {
  if (common_.too_large) return common_.too_large(request_);
  return ResponseTo(RequestParser::Problem::kBodyTooLarge);
}

bool Server::Connection::IsToBeStreamed() const {
  return common_.streams.wanted && common_.streams.wanted(request_);
}

awaitable<Reply> Server::Connection::AskHandler(Got got) {
  if (got == Got::kRequest) return common_.handler(std::move(request_));
  Request head = std::move(request_);
  // What has come of the body belongs to Next, as the trailers do.
  request_ = Request{};
  request_.body = std::exchange(head.body, {});
  const Headers fields = std::exchange(head.headers, {});
  std::size_t number = 0;
  for (const auto& [name, value] : fields) {
    (number++ < parser_->head_fields() ? head.headers : request_.headers).Add(name, value);
  }
  return common_.streams.handle(std::move(head), *this);
}

awaitable<std::expected<std::string, Error>> Server::Connection::Next() {
  while (request_.body.empty() && !parser_->done()) {
    const bool read = co_await ReadSome();
    if (!read || timed_out_ || loop_->dropped()) {
      co_return std::unexpected(Error{ErrorCode::kUnavailable, "the client hung up"});
    }
    begin_ += parser_->Put({buffer_.data() + begin_, end_ - begin_});
    if (parser_->problem() != RequestParser::Problem::kNone || parser_->too_large()) {
      co_return std::unexpected(
          Error{ErrorCode::kUnavailable, "what the client sends is no HTTP/1.1 body"});
    }
  }
  std::string piece = std::exchange(request_.body, {});
  co_return piece;
}

awaitable<Reply> Server::Connection::Answer(Got got) {
  target_ = request_.target;
  head_only_ = request_.method == "HEAD";
  // GCC 12 destroys temporaries of conditional expressions in coroutines twice: hence the helpers.
  if (got == Got::kRequest && parser_->too_large()) co_return TooLargeAnswer();
  try {
    Reply reply = co_await AskHandler(got);
    co_return reply;
  } catch (const std::exception& exception) {
    common_.log.Write(LogLevel::kError, "http", "answering {} failed: {}", target_,
                      exception.what());
  }
  co_return PlainResponse(500, "internal error; the service's log says more");
}

awaitable<bool> Server::Connection::Send(Reply reply, AfterAnswer after) {
  if (!reply.body || head_only_) return Write(std::move(reply.response), after);
  return WriteChunks(std::move(reply), after);
}

awaitable<bool> Server::Connection::WriteChunks(Reply reply, AfterAnswer after) {
  head_.clear();
  AppendResponseHead(reply.response, after, std::time(nullptr), head_, BodyForm::kChunked);
  bool written = co_await WriteBytes(head_, {}, {});
  if (!written) co_return false;
  chunks_open_ = true;
  bool whole = false;
  try {
    whole = co_await reply.body(*this);
  } catch (const std::exception& exception) {
    common_.log.Write(LogLevel::kError, "http", "answering {} failed: {}", target_,
                      exception.what());
  }
  // Without the last chunk the client sees that something is missing.
  if (!whole || !chunks_open_) co_return false;
  written = co_await WriteBytes("0\r\n\r\n", {}, {});
  co_return written;
}

awaitable<bool> Server::Connection::Write(std::string_view bytes) {
  if (!chunks_open_) co_return false;
  if (bytes.empty()) co_return true;
  const std::string size = fmt::format("{:x}\r\n", bytes.size());
  chunks_open_ = co_await WriteBytes(size, bytes, "\r\n");
  Enter(Phase::kHandling);
  co_return chunks_open_;
}

awaitable<bool> Server::Connection::WriteBytes(std::string_view head, std::string_view body,
                                               std::string_view end) {
  Enter(Phase::kWriting);
  const std::array<asio::const_buffer, 3> parts{asio::buffer(head), asio::buffer(body),
                                                asio::buffer(end)};
  error_code error;
  co_await asio::async_write(socket_, parts, asio::redirect_error(asio::use_awaitable, error));
  co_return !error && !loop_->dropped();
}

awaitable<bool> Server::Connection::Write(Response response, AfterAnswer after) {
  Enter(Phase::kWriting);
  head_.clear();
  AppendResponseHead(response, after, std::time(nullptr), head_);
  const std::size_t body_bytes = head_only_ ? 0 : response.body.size();
  const std::array<asio::const_buffer, 2> parts{asio::buffer(head_),
                                                asio::buffer(response.body, body_bytes)};
  error_code error;
  co_await asio::async_write(socket_, parts, asio::redirect_error(asio::use_awaitable, error));
  co_return !error;
}
}  // namespace kelvin::http
