#include "http/server.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <ctime>
#include <list>
#include <optional>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <poll.h>

#include "http/request_parser.h"
#include "http/response_writer.h"

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

Error ListenError(const error_code& error, const Endpoint& endpoint) {
  if (error == asio::error::address_in_use) {
    return {ErrorCode::kAlreadyExists,
            fmt::format("port {0} on {1} is in use; `ss -ltnp 'sport = :{0}'` shows by whom; take "
                        "another with --port, or --port 0 for a free one",
                        endpoint.port, endpoint.host)};
  }
  const auto doing = fmt::format("listen on {}:{}", endpoint.host, endpoint.port);
  return ErrnoError(doing, error.value());
}

std::expected<tcp::endpoint, Error> AddressOf(const Endpoint& endpoint) {
  error_code error;
  const auto address =
      asio::ip::make_address(endpoint.host == "localhost" ? "127.0.0.1" : endpoint.host, error);
  if (error) {
    return std::unexpected(
        Error{ErrorCode::kInvalidArgument,
              fmt::format("expected a numeric address such as 127.0.0.1 to listen on, got \"{}\"",
                          endpoint.host)});
  }
  if (endpoint.port < 0 || endpoint.port > 65535) {
    return std::unexpected(
        Error{ErrorCode::kInvalidArgument,
              fmt::format("expected a port from 0 to 65535, got {}", endpoint.port)});
  }
  return tcp::endpoint(address, static_cast<std::uint16_t>(endpoint.port));
}

}  // namespace

// What all connections have in common.
struct Server::Common {
  const Handler handler;
  const TooLarge too_large;
  const StreamHandler streams;
  const ServerLimits limits;
  Log& log;
  std::atomic<std::size_t> connections = 0;
};

// What the server and the connections on one executor hold together: it lives as long as any of
// them. Used on that executor.
class Server::Loop : public std::enable_shared_from_this<Loop> {
 public:
  Loop(asio::any_io_executor executor, std::shared_ptr<Common> common)
      : executor_(std::move(executor)), common_(std::move(common)), sweep_timer_(executor_) {}

  const asio::any_io_executor& executor() const { return executor_; }
  Common& common() { return *common_; }
  void Take(tcp::socket socket);
  void Stop();
  void DropAll();
  void Add(Connection& connection) { connections_.push_back(&connection); }
  void Remove(Connection& connection) { connections_.remove(&connection); }
  bool has_unread() const;
  bool stopping() const { return stopping_; }
  // The server object is gone, and with it, perhaps, what the handler uses.
  bool dropped() const { return dropped_; }

 private:
  // Time-outs are looked for in steps, not with a timer for each request.
  std::chrono::milliseconds SweepInterval() const;
  void Sweep();
  void ArmSweep();

  asio::any_io_executor executor_;
  std::shared_ptr<Common> common_;
  asio::steady_timer sweep_timer_;
  bool sweeping_ = false;
  bool stopping_ = false;
  bool dropped_ = false;
  std::list<Connection*> connections_;
};

// Accepts connections on the first executor and deals them out to all in turn.
class Server::Acceptor : public std::enable_shared_from_this<Acceptor> {
 public:
  Acceptor(const asio::any_io_executor& executor, Log& log) : log_(log), acceptor_(executor) {}

  std::expected<void, Error> Open(const tcp::endpoint& address, const Endpoint& named);
  // The loops are those of the server, which may be gone before this has ended.
  awaitable<void> Run(std::vector<std::weak_ptr<Loop>> loops);
  void Close();
  bool has_waiting();
  int port() const { return acceptor_.local_endpoint().port(); }

 private:
  Log& log_;
  tcp::acceptor acceptor_;
};

class Server::Connection : public std::enable_shared_from_this<Connection>,
                           private BodySink,
                           private BodySource {
 public:
  Connection(tcp::socket socket, std::shared_ptr<Loop> loop)
      : socket_(std::move(socket)),
        loop_(std::move(loop)),
        common_(loop_->common()),
        buffer_(kReadBytes) {
    loop_->Add(*this);
    ++common_.connections;
  }
  ~Connection() override {
    loop_->Remove(*this);
    --common_.connections;
  }

  static awaitable<void> Run(std::shared_ptr<Connection> self);
  void CloseIfIdle() {
    if (phase_ == Phase::kIdle) Close();
  }
  void Close() {
    error_code ignored;
    socket_.close(ignored);
  }
  void CloseIfExpired(SteadyTime now);
  bool has_unread() const {
    error_code ignored;
    const bool reads = phase_ == Phase::kIdle || phase_ == Phase::kReading;
    return reads && (end_ > begin_ || socket_.available(ignored) > 0);
  }

 private:
  enum class Phase { kIdle, kReading, kHandling, kWriting };
  // kClosed: nothing more can be read or written.
  // kHead: the body is still to come, for who wants to see it come.
  enum class Got { kRequest, kHead, kClosed, kProblem };

  void Enter(Phase phase);
  awaitable<Got> ReadRequest();
  awaitable<bool> ReadSome();
  awaitable<Reply> Answer(Got got);
  awaitable<Reply> AskHandler(Got got);
  awaitable<bool> Send(Reply reply, AfterAnswer after);
  awaitable<bool> WriteChunks(Reply reply, AfterAnswer after);
  awaitable<bool> WriteBytes(std::string_view head, std::string_view body, std::string_view end);
  bool IsToBeStreamed() const;

  awaitable<bool> Write(std::string_view bytes) override;
  awaitable<std::expected<std::string, Error>> Next() override;
  const Headers& trailers() const override { return request_.headers; }
  Response Refusal() const;
  Response TooLargeAnswer() const;
  awaitable<bool> Write(Response response, AfterAnswer after);
  awaitable<void> Linger();

  tcp::socket socket_;
  std::shared_ptr<Loop> loop_;
  Common& common_;
  Phase phase_ = Phase::kIdle;
  SteadyTime deadline_ = SteadyTime::max();
  bool timed_out_ = false;

  std::vector<char> buffer_;  // [begin_, end_) is read and not yet parsed
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  Request request_;
  std::optional<RequestParser> parser_;
  std::string target_;  // of the request being answered, which the handler took
  bool head_only_ = false;
  bool chunks_open_ = false;  // an answer in chunks is being written, and its reader is there
  std::string head_;
};

std::expected<void, Error> Server::Acceptor::Open(const tcp::endpoint& address,
                                                  const Endpoint& named) {
  error_code error;
  acceptor_.open(address.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(address, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) return std::unexpected(ListenError(error, named));
  return {};
}

awaitable<void> Server::Acceptor::Run(std::vector<std::weak_ptr<Loop>> loops) {
  const auto self = shared_from_this();
  // The first connection goes to another than the executor that accepts the next.
  for (std::size_t turn = 1; acceptor_.is_open(); ++turn) {
    const auto loop = loops[turn % loops.size()].lock();
    if (!loop) break;
    error_code error;
    auto socket = co_await acceptor_.async_accept(loop->executor(),
                                                  asio::redirect_error(asio::use_awaitable, error));
    if (!acceptor_.is_open() || error == asio::error::operation_aborted) break;
    if (error) {
      // Most likely out of file descriptors: a moment later some may be free again.
      log_.Write(LogLevel::kWarn, "http", "cannot accept a connection: {}", error.message());
      asio::steady_timer pause(acceptor_.get_executor(), std::chrono::milliseconds{100});
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
      continue;
    }
    socket.set_option(tcp::no_delay(true), error);
    asio::dispatch(loop->executor(),
                   [loop, socket = std::move(socket)]() mutable { loop->Take(std::move(socket)); });
  }
}

void Server::Acceptor::Close() {
  error_code ignored;
  acceptor_.close(ignored);
}

bool Server::Acceptor::has_waiting() {
  pollfd waiting{acceptor_.native_handle(), POLLIN, 0};
  return ::poll(&waiting, 1, 0) > 0;
}

void Server::Loop::Take(tcp::socket socket) {
  if (stopping_) return;
  ArmSweep();
  asio::co_spawn(
      executor_,
      Connection::Run(std::make_shared<Connection>(std::move(socket), shared_from_this())),
      asio::detached);
}

std::chrono::milliseconds Server::Loop::SweepInterval() const {
  std::chrono::milliseconds shortest = std::chrono::milliseconds::max();
  for (const auto timeout : {common_->limits.request_timeout, common_->limits.idle_timeout}) {
    if (timeout > timeout.zero()) shortest = std::min(shortest, timeout);
  }
  if (shortest == std::chrono::milliseconds::max()) return std::chrono::milliseconds::zero();
  return std::clamp(shortest / 4, std::chrono::milliseconds{1}, std::chrono::milliseconds{1000});
}

void Server::Loop::ArmSweep() {
  const auto interval = SweepInterval();
  if (sweeping_ || interval == interval.zero()) return;
  sweeping_ = true;
  sweep_timer_.expires_after(interval);
  sweep_timer_.async_wait([weak = weak_from_this()](const error_code& error) {
    const auto self = weak.lock();
    if (!self || error) return;
    self->sweeping_ = false;
    self->Sweep();
  });
}

void Server::Loop::Sweep() {
  const auto now = std::chrono::steady_clock::now();
  for (Connection* connection : connections_) connection->CloseIfExpired(now);
  if (!connections_.empty()) ArmSweep();
}

bool Server::Loop::has_unread() const {
  return std::ranges::any_of(connections_,
                             [](const Connection* connection) { return connection->has_unread(); });
}

void Server::Loop::Stop() {
  if (std::exchange(stopping_, true)) return;
  for (Connection* connection : connections_) connection->CloseIfIdle();
}

void Server::Loop::DropAll() {
  dropped_ = true;
  sweep_timer_.cancel();
  for (Connection* connection : connections_) connection->Close();
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

std::expected<std::unique_ptr<Server>, Error> Server::Listen(
    const asio::any_io_executor& executor, const Endpoint& endpoint, Handler handler, Log& log,
    const ServerLimits& limits, TooLarge too_large, StreamHandler streams) {
  return Listen({&executor, 1}, endpoint, std::move(handler), log, limits, std::move(too_large),
                std::move(streams));
}

std::expected<std::unique_ptr<Server>, Error> Server::Listen(
    std::span<const asio::any_io_executor> executors, const Endpoint& endpoint, Handler handler,
    Log& log, const ServerLimits& limits, TooLarge too_large, StreamHandler streams) {
  auto address = AddressOf(endpoint);
  if (!address) return std::unexpected(std::move(address.error()));
  auto acceptor = std::make_shared<Acceptor>(executors.front(), log);
  auto opened = acceptor->Open(*address, endpoint);
  if (!opened) return std::unexpected(std::move(opened.error()));
  const auto common = std::make_shared<Common>(std::move(handler), std::move(too_large),
                                               std::move(streams), limits, log);
  std::vector<std::shared_ptr<Loop>> loops;
  for (const auto& executor : executors) loops.push_back(std::make_shared<Loop>(executor, common));
  asio::co_spawn(executors.front(), acceptor->Run({loops.begin(), loops.end()}), asio::detached);
  const Endpoint real{address->address().to_string(), acceptor->port()};
  return std::unique_ptr<Server>(new Server(common, std::move(acceptor), std::move(loops), real));
}

Server::Server(std::shared_ptr<const Common> common, std::shared_ptr<Acceptor> acceptor,
               std::vector<std::shared_ptr<Loop>> loops, Endpoint endpoint)
    : common_(std::move(common)),
      acceptor_(std::move(acceptor)),
      loops_(std::move(loops)),
      endpoint_(std::move(endpoint)) {}

Server::~Server() {
  acceptor_->Close();
  for (const auto& loop : loops_) {
    loop->Stop();
    loop->DropAll();
  }
}

void Server::Stop() {
  acceptor_->Close();
  loops_.front()->Stop();
  for (const auto& loop : std::span(loops_).subspan(1)) {
    asio::post(loop->executor(), [loop] { loop->Stop(); });
  }
}

std::size_t Server::connections() const {
  return common_->connections;
}

bool Server::has_unread() const {
  return acceptor_->has_waiting() || loops_.front()->has_unread();
}

}  // namespace kelvin::http
