#include "service/runtime_api.h"

#include <deque>
#include <optional>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kelvin::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using State = RuntimeApi::State;

class RuntimeApiTest : public ::testing::Test, private RuntimeApi::Observer {
 protected:
  using Answer = std::shared_ptr<std::optional<http::Response>>;

  ~RuntimeApiTest() override {
    api_.Reset();
    Poll();
  }

  Answer Call(std::string method, std::string path, std::string body = {},
              http::Headers headers = {}) {
    http::Request request{std::move(method), "/2018-06-01/" + std::move(path), std::move(headers),
                          std::move(body)};
    auto answer = std::make_shared<std::optional<http::Response>>();
    boost::asio::co_spawn(
        context_,
        [](RuntimeApi& api, http::Request call, Answer into) -> boost::asio::awaitable<void> {
          *into = co_await api.Handle(std::move(call));
        }(api_, std::move(request), answer),
        boost::asio::detached);
    Poll();
    return answer;
  }
  int Status(std::string method, std::string path, std::string body = {},
             http::Headers headers = {}) {
    return Call(std::move(method), std::move(path), std::move(body), std::move(headers))
        ->value()
        .status;
  }
  Answer Next() { return Call("GET", "runtime/invocation/next"); }
  void Deliver(std::string id = "id-1") {
    auto event = std::make_shared<RuntimeEvent>();
    event->request_id = std::move(id);
    event->payload = "{}";
    event->deadline_ms = 12;
    event->function_arn = "arn";
    api_.Deliver(std::move(event));
    Poll();
  }
  // A response in pieces, as they are given. An error ends it.
  class Pieces final : public http::BodySource {
   public:
    boost::asio::awaitable<std::expected<std::string, Error>> Next() override {
      if (pieces.empty()) co_return std::string();
      auto piece = std::move(pieces.front());
      pieces.pop_front();
      co_return piece;
    }
    const http::Headers& trailers() const override { return fields; }
    std::deque<std::expected<std::string, Error>> pieces;
    http::Headers fields;
  };
  Answer Stream(Pieces& pieces, const std::string& id = "id-1") {
    http::Request head{
        "POST",
        "/2018-06-01/runtime/invocation/" + id + "/response",
        {{"Lambda-Runtime-Function-Response-Mode", "streaming"}, {"Content-Type", "text/x"}},
        {}};
    EXPECT_TRUE(RuntimeApi::IsStream(head));
    auto answer = std::make_shared<std::optional<http::Response>>();
    boost::asio::co_spawn(
        context_,
        [](RuntimeApi& api, http::Request call, Pieces& body,
           Answer into) -> boost::asio::awaitable<void> {
          *into = co_await api.HandleStream(std::move(call), body);
        }(api_, std::move(head), pieces, answer),
        boost::asio::detached);
    Poll();
    return answer;
  }
  // What the caller's end of the pipe gets.
  std::string Pull() {
    auto got = std::make_shared<std::string>();
    boost::asio::co_spawn(
        context_,
        [](std::shared_ptr<ResponsePipe> pipe,
           std::shared_ptr<std::string> into) -> boost::asio::awaitable<void> {
          auto piece = co_await pipe->Pull();
          *into = piece ? *piece : "(end)";
        }(pipe_, got),
        boost::asio::detached);
    Poll();
    return *got;
  }
  void Poll() {
    context_.restart();
    context_.poll();
  }

  boost::asio::io_context context_{1};
  std::vector<std::string> told_;
  std::shared_ptr<ResponsePipe> pipe_;
  RuntimeApi api_{*this};

 private:
  void OnNext() override { told_.push_back("next"); }
  void OnResponse(std::string payload) override { told_.push_back("response " + payload); }
  void OnError(std::string type, std::string body) override {
    told_.push_back("error " + type + " " + body);
  }
  void OnInitError(std::string type, std::string body) override {
    told_.push_back("init error " + type + " " + body);
  }
  void OnResponseTooLarge() override { told_.push_back("too large"); }
  std::shared_ptr<ResponsePipe> OnStreamBegin(std::string_view content_type) override {
    told_.push_back("stream " + std::string(content_type));
    return pipe_;
  }
  void OnStreamEnd() override { told_.push_back("stream end"); }
  void OnStreamError(std::string type, std::string body) override {
    told_.push_back("stream error " + type + " " + body);
  }
  void OnStreamBroken() override { told_.push_back("stream broken"); }
};

TEST_F(RuntimeApiTest, GoesThroughAnInvoke) {
  const auto next = Next();
  EXPECT_FALSE(next->has_value());
  Deliver();
  ASSERT_TRUE(next->has_value());
  EXPECT_EQ((*next)->status, 200);
  EXPECT_EQ((*next)->headers.Get("Content-Type"), "application/json");
  EXPECT_EQ((*next)->headers.Get("Lambda-Runtime-Aws-Request-Id"), "id-1");
  EXPECT_EQ((*next)->headers.Get("Lambda-Runtime-Deadline-Ms"), "12");
  EXPECT_EQ((*next)->headers.Get("Lambda-Runtime-Invoked-Function-Arn"), "arn");
  EXPECT_FALSE((*next)->headers.Has("Lambda-Runtime-Client-Context"));
  const auto posted = Call("POST", "runtime/invocation/id-1/response", "out");
  EXPECT_EQ((*posted)->status, 202);
  EXPECT_EQ((*posted)->body, "{\"status\":\"OK\"}\n");
  Next();
  EXPECT_THAT(told_, ElementsAre("next", "response out", "next"));
}

TEST_F(RuntimeApiTest, DeliversAgainToARuntimeThatAsksAgain) {
  Next();
  Deliver();
  const auto again = Next();
  ASSERT_TRUE(again->has_value());
  EXPECT_EQ((*again)->headers.Get("Lambda-Runtime-Aws-Request-Id"), "id-1");
  EXPECT_THAT(told_, ElementsAre("next"));
}

TEST_F(RuntimeApiTest, RefusesASecondAnswer) {
  Next();
  Deliver();
  Status("POST", "runtime/invocation/id-1/response", "1");
  const auto second = Call("POST", "runtime/invocation/id-1/response", "2");
  EXPECT_EQ((*second)->status, 403);
  EXPECT_THAT((*second)->body, HasSubstr("InvalidStateTransition"));
  EXPECT_EQ(Status("POST", "runtime/invocation/id-1/error", "2"), 403);
}

TEST_F(RuntimeApiTest, LooksAtTheRequestIdBeforeTheState) {
  const auto answer = Call("POST", "runtime/invocation/unknown/response");
  EXPECT_EQ((*answer)->status, 400);
  EXPECT_THAT((*answer)->body, HasSubstr("InvalidRequestID"));
  Next();
  Deliver();
  EXPECT_EQ(Status("POST", "runtime/invocation/other/response"), 400);
}

TEST_F(RuntimeApiTest, TakesAnInitErrorOnlyBeforeTheFirstNext) {
  EXPECT_EQ(Status("POST", "runtime/init/error", "why",
                   {{"Lambda-Runtime-Function-Error-Type", "Runtime.NoHandler"}}),
            202);
  EXPECT_THAT(told_, ElementsAre("init error Runtime.NoHandler why"));
  EXPECT_EQ(Status("POST", "runtime/init/error"), 403);
  EXPECT_EQ(Next()->value().status, 403);
  api_.Reset();
  Next();
  EXPECT_EQ(Status("POST", "runtime/init/error"), 403);
}

TEST_F(RuntimeApiTest, CleansUpErrorTypes) {
  const std::pair<const char*, const char*> cases[] = {
      {"Function.Broken", "error Function.Broken "}, {"Runtime.X", "error Function.Unknown "},
      {"Broken", "error Function.Unknown "},         {"Function.broken", "error Function.Unknown "},
      {"Function.A1", "error Function.Unknown "},    {"", "error Function.Unknown "}};
  for (const auto& [given, told] : cases) {
    api_.Reset();
    Next();
    Deliver();
    Status("POST", "runtime/invocation/id-1/error", "",
           {{"Lambda-Runtime-Function-Error-Type", given}});
    EXPECT_EQ(told_.back(), told) << given;
  }
}

TEST_F(RuntimeApiTest, RefusesUnknownResponseModes) {
  Next();
  Deliver();
  const auto answer = Call("POST", "runtime/invocation/id-1/response", "",
                           {{"Lambda-Runtime-Function-Response-Mode", "drip"}});
  EXPECT_EQ((*answer)->status, 400);
  EXPECT_THAT((*answer)->body, HasSubstr("InvalidFunctionResponseMode"));
  EXPECT_EQ(api_.state(), State::kRunning);
}

TEST_F(RuntimeApiTest, TellsOfAnAnswerThatIsTooLargeOnce) {
  Next();
  Deliver();
  http::Request head;
  head.target = "/2018-06-01/runtime/invocation/id-1/response";
  const auto answer = api_.HandleTooLarge(head);
  EXPECT_EQ(answer.status, 413);
  EXPECT_THAT(answer.body, HasSubstr("Exceeded maximum allowed payload size (6291556 bytes)."));
  api_.HandleTooLarge(head);
  EXPECT_THAT(told_, ElementsAre("next", "too large"));
}

TEST_F(RuntimeApiTest, AnswersAPing) {
  const auto answer = Call("GET", "ping");
  EXPECT_EQ((*answer)->body, "pong");
}

TEST_F(RuntimeApiTest, KnowsNoOtherCall) {
  EXPECT_EQ(Status("GET", "runtime/invocation/id-1/response"), 404);
  EXPECT_EQ(Status("POST", "runtime/invocation/id-1/other"), 404);
  EXPECT_EQ(Status("POST", "runtime/invocation/"), 404);
}

TEST_F(RuntimeApiTest, RefusesAnEarlierNextWhenAnotherComes) {
  const auto first = Next();
  const auto second = Next();
  ASSERT_TRUE(first->has_value());
  EXPECT_EQ((*first)->status, 403);
  EXPECT_FALSE(second->has_value());
}

TEST_F(RuntimeApiTest, PassesAStreamOnAsItComes) {
  pipe_ = std::make_shared<ResponsePipe>();
  Next();
  Deliver();
  Pieces pieces;
  pieces.pieces = {"a", "b"};
  const auto answer = Stream(pieces);
  EXPECT_EQ(answer->value().status, 202);
  EXPECT_EQ(Pull(), "ab");
  EXPECT_THAT(told_, ElementsAre("next", "stream text/x", "stream end"));
  EXPECT_EQ(Stream(pieces)->value().status, 403) << "a second response";
}

TEST_F(RuntimeApiTest, LetsAStreamWaitForASlowCaller) {
  pipe_ = std::make_shared<ResponsePipe>();
  Next();
  Deliver();
  Pieces pieces;
  pieces.pieces = {std::string(100'000, 'x'), "y"};
  const auto answer = Stream(pieces);
  EXPECT_FALSE(answer->has_value());
  EXPECT_EQ(api_.state(), State::kResponding);
  EXPECT_EQ(Pull().size(), 100'000u);
  EXPECT_EQ(answer->value().status, 202);
}

TEST_F(RuntimeApiTest, CollectsAStreamForACallerThatWaitsForAll) {
  Next();
  Deliver();
  Pieces pieces;
  pieces.pieces = {"a", "b"};
  EXPECT_EQ(Stream(pieces)->value().status, 202);
  EXPECT_THAT(told_, ElementsAre("next", "stream text/x", "response ab"));
}

TEST_F(RuntimeApiTest, SeesHowAStreamFails) {
  pipe_ = std::make_shared<ResponsePipe>();
  Next();
  Deliver();
  Pieces with_error;
  with_error.pieces = {"a"};
  with_error.fields = {{"Lambda-Runtime-Function-Error-Type", "Function.Bad"},
                       {"Lambda-Runtime-Function-Error-Body", "e30="}};
  EXPECT_EQ(Stream(with_error)->value().status, 202);
  EXPECT_EQ(told_.back(), "stream error Function.Bad {}");
  Next();
  Deliver("id-2");
  Pieces broken;
  broken.pieces = {std::unexpected(Error{ErrorCode::kUnavailable, "gone"})};
  EXPECT_EQ(Stream(broken, "id-2")->value().status, 400);
  EXPECT_EQ(told_.back(), "stream broken");
  Pieces other;
  EXPECT_EQ(Stream(other, "nobody")->value().status, 400);
}

TEST_F(RuntimeApiTest, ForgetsAStreamWhoseInvokeIsOver) {
  pipe_ = std::make_shared<ResponsePipe>();
  Next();
  Deliver();
  Pieces pieces;
  pieces.pieces = {std::string(100'000, 'x'), "y"};
  const auto answer = Stream(pieces);
  pipe_->Finish();
  api_.Reset();
  Poll();
  EXPECT_EQ(answer->value().status, 403);
  EXPECT_THAT(told_, ElementsAre("next", "stream text/x"));
}

}  // namespace
}  // namespace kelvin::service
