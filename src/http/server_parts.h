#pragma once

#include <atomic>
#include <chrono>
#include <expected>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "http/request_parser.h"
#include "http/response_writer.h"
#include "http/server.h"

// What a server is made of, for the files that implement it.
namespace kelvin::http {

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
  Loop(boost::asio::any_io_executor executor, std::shared_ptr<Common> common)
      : executor_(std::move(executor)), common_(std::move(common)), sweep_timer_(executor_) {}

  const boost::asio::any_io_executor& executor() const { return executor_; }
  Common& common() { return *common_; }
  void Take(boost::asio::ip::tcp::socket socket);
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

  boost::asio::any_io_executor executor_;
  std::shared_ptr<Common> common_;
  boost::asio::steady_timer sweep_timer_;
  bool sweeping_ = false;
  bool stopping_ = false;
  bool dropped_ = false;
  std::list<Connection*> connections_;
};

// Accepts connections on the first executor and deals them out to all in turn.
class Server::Acceptor : public std::enable_shared_from_this<Acceptor> {
 public:
  Acceptor(const boost::asio::any_io_executor& executor, Log& log)
      : log_(log), acceptor_(executor) {}

  std::expected<void, Error> Open(const boost::asio::ip::tcp::endpoint& address,
                                  const Endpoint& named);
  // The loops are those of the server, which may be gone before this has ended.
  boost::asio::awaitable<void> Run(std::vector<std::weak_ptr<Loop>> loops);
  void Close();
  bool has_waiting();
  int port() const { return acceptor_.local_endpoint().port(); }

 private:
  Log& log_;
  boost::asio::ip::tcp::acceptor acceptor_;
};

class Server::Connection : public std::enable_shared_from_this<Connection>,
                           private BodySink,
                           private BodySource {
 public:
  Connection(boost::asio::ip::tcp::socket socket, std::shared_ptr<Loop> loop);
  ~Connection() override;

  static boost::asio::awaitable<void> Run(std::shared_ptr<Connection> self);
  void CloseIfIdle() {
    if (phase_ == Phase::kIdle) Close();
  }
  void Close() {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }
  void CloseIfExpired(std::chrono::steady_clock::time_point now);
  bool has_unread() const {
    boost::system::error_code ignored;
    const bool reads = phase_ == Phase::kIdle || phase_ == Phase::kReading;
    return reads && (end_ > begin_ || socket_.available(ignored) > 0);
  }

 private:
  enum class Phase { kIdle, kReading, kHandling, kWriting };
  // kClosed: nothing more can be read or written.
  // kHead: the body is still to come, for who wants to see it come.
  enum class Got { kRequest, kHead, kClosed, kProblem };

  void Enter(Phase phase);
  boost::asio::awaitable<Got> ReadRequest();
  boost::asio::awaitable<bool> ReadSome();
  boost::asio::awaitable<Reply> Answer(Got got);
  boost::asio::awaitable<Reply> AskHandler(Got got);
  boost::asio::awaitable<bool> Send(Reply reply, AfterAnswer after);
  boost::asio::awaitable<bool> WriteChunks(Reply reply, AfterAnswer after);
  boost::asio::awaitable<bool> WriteBytes(std::string_view head, std::string_view body,
                                          std::string_view end);
  bool IsToBeStreamed() const;

  boost::asio::awaitable<bool> Write(std::string_view bytes) override;
  boost::asio::awaitable<std::expected<std::string, Error>> Next() override;
  const Headers& trailers() const override { return request_.headers; }
  Response Refusal() const;
  Response TooLargeAnswer() const;
  boost::asio::awaitable<bool> Write(Response response, AfterAnswer after);
  boost::asio::awaitable<void> Linger();

  boost::asio::ip::tcp::socket socket_;
  std::shared_ptr<Loop> loop_;
  Common& common_;
  Phase phase_ = Phase::kIdle;
  std::chrono::steady_clock::time_point deadline_ = std::chrono::steady_clock::time_point::max();
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

}  // namespace kelvin::http
