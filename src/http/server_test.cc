#include "http/server.h"

#include <array>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include <boost/asio/connect.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fake_clock.h"

namespace kelvin::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ::testing::_;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::StartsWith;

asio::awaitable<Reply> Echo(Request request) {
  co_return Response{200, {{"X-Method", request.method}}, std::move(request.body)};
}

class ServerTest : public ::testing::Test {
 protected:
  void Start(Handler handler = Echo, const ServerLimits& limits = {}, TooLarge too_large = {},
             StreamHandler streams = {}) {
    auto server = Server::Listen(context_.get_executor(), {"127.0.0.1", 0}, std::move(handler),
                                 log_, limits, std::move(too_large), std::move(streams));
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
    thread_ = std::thread([this] { context_.run(); });
  }

  ~ServerTest() override {
    if (!thread_.joinable()) return;
    asio::post(context_, [this] { server_.reset(); });
    thread_.join();
  }

  tcp::socket Connect() {
    tcp::socket socket(client_context_);
    socket.connect(
        {asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(server_->endpoint().port)});
    return socket;
  }

  static void Send(tcp::socket& socket, std::string_view text) {
    asio::write(socket, asio::buffer(text));
  }

  // Everything until the server closes.
  static std::string ReadAll(tcp::socket& socket) {
    std::string text;
    boost::system::error_code error;
    asio::read(socket, asio::dynamic_buffer(text), error);
    EXPECT_EQ(error, asio::error::eof);
    return text;
  }

  static std::string Read(tcp::socket& socket, std::size_t bytes) {
    std::string text(bytes, '\0');
    asio::read(socket, asio::buffer(text));
    return text;
  }

  std::string Exchange(std::string_view request) {
    auto socket = Connect();
    Send(socket, request);
    return ReadAll(socket);
  }

  FakeClock clock_;
  std::string logged_;
  Log log_{clock_, LogLevel::kInfo, [this](std::string_view line) { logged_ += line; }};
  asio::io_context context_;
  asio::io_context client_context_;
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

TEST_F(ServerTest, AnswersAndCloses) {
  Start();
  const std::string answer =
      Exchange("POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("X-Method: POST\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\nhi"));
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  Start();
  const std::string answer = Exchange(
      "POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\n1"
      "POST / HTTP/1.1\r\nContent-Length: 1\r\nConnection: close\r\n\r\n2");
  const auto first = answer.find("\r\n\r\n1HTTP/1.1 200");
  EXPECT_NE(first, std::string::npos) << answer;
  EXPECT_THAT(answer, EndsWith("\r\n\r\n2"));
}

TEST_F(ServerTest, TellsAClientThatWaitsToGoOn) {
  Start();
  auto socket = Connect();
  Send(socket,
       "PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n"
       "Connection: close\r\n\r\n");
  EXPECT_EQ(Read(socket, 25), "HTTP/1.1 100 Continue\r\n\r\n");
  Send(socket, "abc");
  EXPECT_THAT(ReadAll(socket), EndsWith("\r\n\r\nabc"));
}

TEST_F(ServerTest, RefusesALargeBodyBeforeAWaitingClientSendsIt) {
  Start(Echo, {.max_body_bytes = 10});
  EXPECT_THAT(Exchange("PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
}

TEST_F(ServerTest, LetsTheApiSayThatABodyIsTooLargeAndKeepsTheConnection) {
  Start(Echo, {.max_body_bytes = 10},
        [](const Request& head) { return Response{413, {}, "too large for " + head.target}; });
  const std::string answer = Exchange(
      "POST /a HTTP/1.1\r\nContent-Length: 11\r\n\r\n01234567890"
      "POST /b HTTP/1.1\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(answer, HasSubstr("too large for /aHTTP/1.1 200"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\nok"));
}

// Answers with the body and its trailers, as they came.
asio::awaitable<Reply> EchoStream(Request head, BodySource& body) {
  std::string text;
  for (;;) {
    const auto piece = co_await body.Next();
    if (!piece) co_return Response{500, {}, {}};
    if (piece->empty()) break;
    text += *piece;
  }
  for (const auto& [name, value] : body.trailers()) text += " " + name + "=" + value;
  co_return Response{200, {{"X-Head", std::string(head.headers.Get("X-A"))}}, std::move(text)};
}

TEST_F(ServerTest, KeepsTrailersApartWhetherTheyComeWithTheHeadOrLater) {
  Start(Echo, {}, {}, {.wanted = [](const Request&) { return true; }, .handle = EchoStream});
  const std::string head =
      "POST / HTTP/1.1\r\nX-A: 1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
  const std::string rest = "2\r\nhi\r\n0\r\nX-Error: broke\r\n\r\n";
  const auto is_right = AllOf(HasSubstr("X-Head: 1\r\n"), EndsWith("\r\n\r\nhi X-Error=broke"));
  EXPECT_THAT(Exchange(head + rest), is_right);
  auto socket = Connect();
  Send(socket, head);
  Send(socket, rest);
  EXPECT_THAT(ReadAll(socket), is_right);
}

TEST_F(ServerTest, RefusesAHeadThatIsTooLarge) {
  Start(Echo, {.max_header_bytes = 100});
  EXPECT_THAT(Exchange("GET / HTTP/1.1\r\nX: " + std::string(200, 'x') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 431 "));
}

TEST_F(ServerTest, RefusesWhatIsNotHttp) {
  Start();
  EXPECT_THAT(Exchange("\x16\x03\x01 hello\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
}

TEST_F(ServerTest, AnswersARequestThatComesTooSlowly) {
  Start(Echo, {.request_timeout = std::chrono::milliseconds{20}});
  EXPECT_THAT(Exchange("GET / HTTP/1.1\r\nHost"), StartsWith("HTTP/1.1 408 "));
}

TEST_F(ServerTest, AHeadThatDripsGetsNoMoreTime) {
  Start(Echo, {.max_header_bytes = 1 << 30, .request_timeout = std::chrono::milliseconds{20}});
  auto socket = Connect();
  Send(socket, "GET / HTTP/1.1\r\nX: ");
  while (socket.available() == 0) Send(socket, "x");
  EXPECT_THAT(Read(socket, 13), StartsWith("HTTP/1.1 408 "));
}

TEST_F(ServerTest, ClosesAnIdleConnection) {
  Start(Echo, {.idle_timeout = std::chrono::milliseconds{20}});
  auto socket = Connect();
  EXPECT_EQ(ReadAll(socket), "");
}

TEST_F(ServerTest, TurnsAnExceptionInto500AndALogLine) {
  Start([](Request) -> asio::awaitable<Reply> {
    throw std::runtime_error("broken part");
    co_return Response{};
  });
  EXPECT_THAT(Exchange("GET /what HTTP/1.1\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(logged_, HasSubstr("/what"));
  EXPECT_THAT(logged_, HasSubstr("broken part"));
}

TEST_F(ServerTest, FinishesTheCurrentAnswerWhenStopped) {
  Start([this](Request) -> asio::awaitable<Reply> {
    server_->Stop();
    co_return Response{200, {}, "last"};
  });
  const std::string answer = Exchange("GET / HTTP/1.1\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Connection: close"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\nlast"));
}

TEST_F(ServerTest, DropsConnectionsThatWaitForAHandlerWhenItEnds) {
  std::optional<asio::steady_timer> never(context_);
  never->expires_at(asio::steady_timer::time_point::max());
  Start([&](Request) -> asio::awaitable<Reply> {
    asio::post(context_, [this] { server_.reset(); });
    co_await never->async_wait(asio::use_awaitable);
    co_return Response{};
  });
  auto socket = Connect();
  Send(socket, "GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(ReadAll(socket), "");
  asio::post(context_, [&] { never.reset(); });
  thread_.join();
}

TEST(Server, DealsConnectionsOutToItsLoops) {
  FakeClock clock;
  Log log(clock, LogLevel::kInfo, {});
  std::array<asio::io_context, 2> loops;
  std::mutex mutex;
  std::map<std::thread::id, int> answered;
  const std::array executors{asio::any_io_executor(loops[0].get_executor()),
                             asio::any_io_executor(loops[1].get_executor())};
  auto server = Server::Listen(
      executors, {"127.0.0.1", 0},
      [&](Request request) -> asio::awaitable<Reply> {
        const std::lock_guard lock(mutex);
        ++answered[std::this_thread::get_id()];
        co_return Response{200, {}, std::move(request.body)};
      },
      log);
  ASSERT_TRUE(server) << server.error().message;
  std::vector<std::thread> threads;
  for (auto& loop : loops) {
    threads.emplace_back([&loop] {
      const auto stays = asio::make_work_guard(loop);
      loop.run();
    });
  }
  asio::io_context client_context;
  std::vector<tcp::socket> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back(client_context);
    clients.back().connect(
        {asio::ip::address_v4::loopback(), static_cast<std::uint16_t>((*server)->endpoint().port)});
    asio::write(clients.back(), asio::buffer(std::string_view("GET / HTTP/1.1\r\n\r\n")));
    std::string answer;
    asio::read_until(clients.back(), asio::dynamic_buffer(answer), "\r\n\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  }
  EXPECT_THAT(answered, ElementsAre(Pair(_, 2), Pair(_, 2)));
  EXPECT_EQ((*server)->connections(), clients.size());

  // Idle connections of every loop are closed.
  asio::post(loops[0], [&] { (*server)->Stop(); });
  for (auto& client : clients) {
    char byte = 0;
    boost::system::error_code error;
    asio::read(client, asio::buffer(&byte, 1), error);
    EXPECT_EQ(error, asio::error::eof);
  }
  for (auto& loop : loops) loop.stop();
  for (auto& thread : threads) thread.join();
}

TEST_F(ServerTest, SaysWhoHoldsAPortInUse) {
  Start();
  const int port = server_->endpoint().port;
  auto second = Server::Listen(context_.get_executor(), {"127.0.0.1", port}, Echo, log_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kAlreadyExists);
  EXPECT_THAT(second.error().message, HasSubstr(std::to_string(port)));
  EXPECT_THAT(second.error().message, HasSubstr("--port 0"));
}

TEST(Server, WantsANumericAddress) {
  FakeClock clock;
  Log log(clock, LogLevel::kInfo, {});
  asio::io_context context;
  for (const Endpoint& endpoint : {Endpoint{"example.org", 0}, Endpoint{"127.0.0.1", 65536}}) {
    auto server = Server::Listen(context.get_executor(), endpoint, Echo, log);
    ASSERT_FALSE(server);
    EXPECT_EQ(server.error().code, ErrorCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace kelvin::http
