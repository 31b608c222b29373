#include "service/extensions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/scheduler_fixture.h"

namespace kelvin::service {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using State = Extensions::State;

class ExtensionsTest : public ::testing::Test, private Extensions::Observer {
 protected:
  using Answer = std::shared_ptr<std::optional<http::Response>>;

  ~ExtensionsTest() override {
    extensions_.Reset({});
    Poll();
  }
  Answer Call(std::string method, std::string call, std::string body = {},
              http::Headers headers = {}) {
    http::Request request{std::move(method), std::string(Extensions::kPrefix) + call,
                          std::move(headers), std::move(body)};
    auto answer = std::make_shared<std::optional<http::Response>>();
    boost::asio::co_spawn(
        context_,
        [](Extensions& api, http::Request given, Answer into) -> boost::asio::awaitable<void> {
          *into = co_await api.Handle(std::move(given));
        }(extensions_, std::move(request), answer),
        boost::asio::detached);
    Poll();
    return answer;
  }
  http::Response Register(std::string name, std::string events = R"(["INVOKE","SHUTDOWN"])") {
    return Call("POST", "register", "{\"events\":" + events + "}",
                {{"Lambda-Extension-Name", std::move(name)}})
        ->value();
  }
  std::string IdOf(const http::Response& registered) {
    return std::string(registered.headers.Get("Lambda-Extension-Identifier"));
  }
  Answer Next(std::string id) {
    return Call("GET", "event/next", {}, {{"Lambda-Extension-Identifier", std::move(id)}});
  }
  http::Response Fail(std::string call, std::string id, http::Headers headers = {}) {
    headers.Add("Lambda-Extension-Identifier", id);
    return Call("POST", std::move(call), "{}", std::move(headers))->value();
  }
  State StateOf(std::size_t index) { return extensions_.statuses().at(index).state; }
  void Poll() {
    context_.restart();
    context_.poll();
  }

  boost::asio::io_context context_{1};
  CountingRandom random_;
  std::vector<std::string> told_;
  Extensions extensions_{*this, random_, {"f", "$LATEST", "main", "123456789012"}};

 private:
  void OnRegistered() override { told_.push_back("registered"); }
  void OnReady() override { told_.push_back("ready"); }
};

TEST_F(ExtensionsTest, GoesThroughALife) {
  extensions_.Reset({"ext"});
  EXPECT_FALSE(extensions_.registered());
  const http::Response registered = Register("ext");
  EXPECT_EQ(registered.status, 200);
  EXPECT_EQ(registered.body,
            R"({"functionName":"f","functionVersion":"$LATEST","handler":"main"})");
  EXPECT_TRUE(extensions_.registered());
  EXPECT_FALSE(extensions_.ready());
  const std::string id = IdOf(registered);
  auto next = Next(id);
  EXPECT_TRUE(extensions_.ready());
  EXPECT_THAT(told_, ElementsAre("registered", "ready"));

  extensions_.Invoke({.request_id = "r",
                      .payload = {},
                      .deadline_ms = 12,
                      .function_arn = "arn",
                      .trace_id = "Root=1",
                      .client_context = {},
                      .cognito_identity = {}});
  Poll();
  EXPECT_EQ((*next)->body,
            R"({"eventType":"INVOKE","deadlineMs":12,"requestId":"r","invokedFunctionArn":"arn",)"
            R"("tracing":{"type":"X-Amzn-Trace-Id","value":"Root=1"}})");
  EXPECT_TRUE((*next)->headers.Has("Lambda-Extension-Event-Identifier"));
  EXPECT_FALSE(extensions_.invoke_done());
  next = Next(id);
  EXPECT_TRUE(extensions_.invoke_done());

  extensions_.Shutdown("spindown", 34);
  Poll();
  EXPECT_EQ((*next)->body,
            R"({"eventType":"SHUTDOWN","deadlineMs":34,"shutdownReason":"spindown"})");
  EXPECT_TRUE(extensions_.awaits_shutdown());
  EXPECT_EQ(extensions_.Exited("ext"), State::kRunning);
  EXPECT_FALSE(extensions_.awaits_shutdown());
}

TEST_F(ExtensionsTest, GivesAShutdownToOneThatIsBusyWhenItAsks) {
  extensions_.Reset({"ext"});
  const std::string id = IdOf(Register("ext"));
  Next(id);
  extensions_.Invoke({});
  extensions_.Shutdown("timeout", 1);
  const auto next = Next(id);
  EXPECT_THAT((*next)->body, HasSubstr("\"timeout\""));
}

TEST_F(ExtensionsTest, TellsOnlyThoseThatListen) {
  extensions_.Reset({"quiet", "shutdown"});
  const auto quiet = Next(IdOf(Register("quiet", "[]")));
  const auto shutdown = Next(IdOf(Register("shutdown", R"(["SHUTDOWN"])")));
  extensions_.Invoke({});
  Poll();
  EXPECT_FALSE(quiet->has_value());
  EXPECT_FALSE(shutdown->has_value());
  EXPECT_TRUE(extensions_.invoke_done());
  extensions_.Shutdown("spindown", 1);
  Poll();
  EXPECT_FALSE(quiet->has_value());
  EXPECT_TRUE(shutdown->has_value());
}

TEST_F(ExtensionsTest, TakesInternalOnesUntilTheRuntimeIsReady) {
  extensions_.Reset({});
  EXPECT_EQ(Register("inner", R"(["INVOKE"])").status, 200);
  const http::Response again = Register("inner", R"(["INVOKE"])");
  EXPECT_EQ(again.status, 403);
  EXPECT_THAT(again.body, HasSubstr("Extension with this name already registered"));
  const http::Response shutdown = Register("other", R"(["SHUTDOWN"])");
  EXPECT_EQ(shutdown.status, 403);
  EXPECT_THAT(shutdown.body, AllOf(HasSubstr("Extension.InvalidEventType"),
                                   HasSubstr("ShutdownEventNotSupportedForInternalExtension")));
  for (int i = 1; i < 10; ++i) EXPECT_EQ(Register("i" + std::to_string(i), "[]").status, 200);
  EXPECT_THAT(Register("one-more", "[]").body, HasSubstr("Extension limit (10) reached"));
  extensions_.Reset({});
  extensions_.CloseRegistration();
  EXPECT_THAT(Register("late", "[]").body, HasSubstr("Extension.RegistrationClosed"));
}

TEST_F(ExtensionsTest, RefusesAsLambdaDoes) {
  extensions_.Reset({"ext"});
  EXPECT_THAT(Register("").body, HasSubstr("Extension.InvalidExtensionName"));
  EXPECT_THAT(Register("ext", "[\"START\"]").body, HasSubstr("START: ErrorInvalidEventType"));
  EXPECT_THAT(Register("ext", "7").body, HasSubstr("InvalidRequestFormat"));
  EXPECT_THAT((*Call("GET", "event/next"))->body,
              HasSubstr("Missing Lambda-Extension-Identifier header"));
  EXPECT_THAT((*Next("x"))->body, HasSubstr("Extension.InvalidExtensionIdentifier"));
  EXPECT_THAT((*Next("6d68ca91-49c9-448d-89b8-7ca3e6dc66aa"))->body,
              HasSubstr("Unknown extension 6d68ca91"));
  const std::string id = IdOf(Register("ext"));
  EXPECT_EQ(Register("ext").body,
            R"({"errorMessage":"State transition from Registered to Registered failed for )"
            R"(extension ext. Error: State transition is not allowed",)"
            R"("errorType":"Extension.InvalidExtensionState"})");
  EXPECT_EQ((*Call("PUT", "register"))->status, 404);
  const auto waiting = Next(id);
  EXPECT_EQ((*Next(id))->status, 403);
  EXPECT_FALSE(waiting->has_value());
}

TEST_F(ExtensionsTest, KeepsTheFirstErrorOfEach) {
  extensions_.Reset({"ext"});
  const std::string id = IdOf(Register("ext"));
  EXPECT_THAT(Fail("init/error", id).body, HasSubstr("Extension.MissingHeader"));
  const http::Headers type{{"Lambda-Extension-Function-Error-Type", "Extension.NoConfig"}};
  const http::Response accepted = Fail("init/error", id, type);
  EXPECT_EQ(accepted.status, 202);
  EXPECT_EQ(accepted.body, "{\"status\":\"OK\"}\n");
  EXPECT_EQ(Fail("init/error", id, {{"Lambda-Extension-Function-Error-Type", "Other"}}).status,
            202);
  EXPECT_EQ(extensions_.statuses()[0].error_type, "Extension.NoConfig");
  EXPECT_EQ(Fail("exit/error", id, type).status, 403);
  EXPECT_EQ((*Next(id))->status, 403);
  EXPECT_EQ(extensions_.Exited("ext"), State::kInitError);
}

TEST_F(ExtensionsTest, GivesTheAccountToWhoAsksForIt) {
  extensions_.Reset({"ext"});
  const auto answer = Call(
      "POST", "register", "{}",
      {{"Lambda-Extension-Name", "ext"}, {"Lambda-Extension-Accept-Feature", "other, accountId"}});
  EXPECT_THAT((*answer)->body, HasSubstr(R"("accountId":"123456789012")"));
}

TEST_F(ExtensionsTest, RefusesWhatWaitsWhenItBeginsAnew) {
  extensions_.Reset({"ext"});
  const auto next = Next(IdOf(Register("ext")));
  extensions_.Reset({"ext"});
  Poll();
  EXPECT_EQ((*next)->status, 403);
  EXPECT_EQ(StateOf(0), State::kStarted);
}

}  // namespace
}  // namespace kelvin::service
