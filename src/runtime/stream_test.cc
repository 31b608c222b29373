#include <stdexcept>

#include <boost/describe/class.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fake_clock.h"
#include "kelvin/streaming.h"
#include "runtime/loop.h"
#include "runtime/test_support.h"

namespace kelvin::runtime {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

struct Rows {
  int rows = 0;
};
BOOST_DESCRIBE_STRUCT(Rows, (), (rows))

class StreamTest : public ::testing::Test {
 protected:
  // Serves what the connection has to offer, and gives what was sent.
  template <typename Handler>
  std::string Serve(Handler handler, http::FakeConnector::Script script) {
    connector_.AddConnection(std::move(script));
    Api api(connector_, {"127.0.0.1", 9001});
    const Logger log({.sink = &log_, .clock = &clock_});
    Loop loop({.api = api,
               .clock = clock_,
               .trace = trace_,
               .log = log,
               .function = function_,
               .busy = busy_});
    end_ = loop.Serve(*AdaptStream(std::move(handler)));
    std::string all;
    for (const std::string& part : connector_.written()) all += part;
    return all;
  }

  FakeClock clock_;
  http::FakeConnector connector_;
  LogLines log_;
  TraceVariable trace_;
  FunctionInfo function_;
  std::mutex busy_;
  Error end_;
};

TEST_F(StreamTest, SendsEachPieceAsAChunkAndGoesOn) {
  const auto handler = [](Rows event, ResponseStream& response) {
    for (int row = 0; row < event.rows; ++row) (void)response.Write("row " + std::to_string(row));
  };
  const std::string sent = Serve(handler, {{Event("r-1", R"({"rows":2})"), Accepted(),
                                            Event("r-2", R"({"rows":1})"), Accepted(), Fatal()}});
  EXPECT_EQ(end_.code, ErrorCode::kInternal);
  EXPECT_THAT(sent, HasSubstr("POST /2018-06-01/runtime/invocation/r-1/response HTTP/1.1\r\n"));
  EXPECT_THAT(sent, HasSubstr("Lambda-Runtime-Function-Response-Mode: streaming\r\n"));
  EXPECT_THAT(sent, HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_THAT(sent, HasSubstr("Content-Type: application/octet-stream\r\n"));
  EXPECT_THAT(sent, HasSubstr("\r\n\r\n5\r\nrow 0\r\n5\r\nrow 1\r\n0\r\n\r\n"));
  EXPECT_THAT(sent, HasSubstr("/invocation/r-2/response"));
  EXPECT_THAT(sent, Not(HasSubstr("Content-Length")));
}

TEST_F(StreamTest, SendsAPieceThatIsTooLargeToCopy) {
  const std::string large(100'000, 'x');
  const auto handler = [&](std::string_view, ResponseStream& response) {
    (void)response.Write("a");
    (void)response.Write(large);
  };
  const std::string sent = Serve(handler, {{Event("r-1", "{}"), Accepted(), Fatal()}});
  EXPECT_THAT(sent, HasSubstr("1\r\na\r\n186a0\r\n" + large + "\r\n0\r\n\r\n"));
}

TEST_F(StreamTest, SendsTheHttpHeadWithTheFirstPiece) {
  const auto handler = [](std::string_view, const Context&, ResponseStream& response) {
    response.SetHead({.status_code = 201, .headers = {{"X-A", "\"1\""}}, .cookies = {"a=b"}});
    (void)response.Write("body");
  };
  const std::string sent = Serve(handler, {{Event("r-1", "{}"), Accepted(), Fatal()}});
  EXPECT_THAT(sent, HasSubstr("application/vnd.awslambda.http-integration-response\r\n"));
  EXPECT_THAT(sent, HasSubstr(R"({"statusCode":201,"headers":{"X-A":"\"1\""},"cookies":["a=b"]})" +
                              std::string(8, '\0') + "body"));
}

TEST_F(StreamTest, StreamsNothingForAHandlerThatWritesNothing) {
  const auto handler = [](std::string_view, ResponseStream&) {};
  const std::string sent = Serve(handler, {{Event("r-1", "{}"), Accepted(), Fatal()}});
  EXPECT_THAT(sent, HasSubstr("streaming\r\n"));
  EXPECT_THAT(sent, HasSubstr("\r\n\r\n0\r\n\r\n"));
}

TEST_F(StreamTest, PostsAnErrorThatComesBeforeTheFirstByte) {
  const auto handler = [](Rows, ResponseStream& response) -> std::expected<void, HandlerError> {
    response.SetHead({});
    return std::unexpected(HandlerError{"Function.Refused", "no"});
  };
  const std::string sent = Serve(handler, {{Event("r-1", "{\"rows\":1}"), Accepted(), Fatal()}});
  EXPECT_THAT(sent, HasSubstr("/invocation/r-1/error HTTP/1.1"));
  EXPECT_THAT(sent, HasSubstr("Lambda-Runtime-Function-Error-Type: Function.Refused\r\n"));
  EXPECT_THAT(sent, Not(HasSubstr("streaming")));
}

TEST_F(StreamTest, RefusesAnEventThatDoesNotFit) {
  const auto handler = [](Rows, ResponseStream&) {};
  const std::string sent = Serve(handler, {{Event("r-1", "{\"rows\":[]}"), Accepted(), Fatal()}});
  EXPECT_THAT(sent, HasSubstr("/invocation/r-1/error"));
  EXPECT_THAT(sent, HasSubstr("$.rows"));
}

TEST_F(StreamTest, PutsALaterErrorIntoTheTrailers) {
  const auto handler = [](std::string_view, ResponseStream& response) {
    (void)response.Write("some");
    throw std::runtime_error("half way");
  };
  const std::string sent = Serve(handler, {{Event("r-1", "{}"), Accepted(), Fatal()}});
  EXPECT_THAT(sent, HasSubstr("Trailer: Lambda-Runtime-Function-Error-Type, "
                              "Lambda-Runtime-Function-Error-Body\r\n"));
  const std::string end =
      "4\r\nsome\r\n0\r\nLambda-Runtime-Function-Error-Type: Runtime.UnhandledException\r\n"
      "Lambda-Runtime-Function-Error-Body: eyJlcnJvck1lc3NhZ2UiOiJoYWxmIHdheSI";
  EXPECT_THAT(sent, HasSubstr(end));
  EXPECT_THAT(sent, Not(HasSubstr("/error HTTP")));
  EXPECT_THAT(log_.all(), HasSubstr("half way"));
}

TEST_F(StreamTest, TellsTheHandlerThatNoMoreIsTakenAndGoesOn) {
  std::vector<std::string> types;
  const auto handler = [&](std::string_view, ResponseStream& response) {
    for (int i = 0; i < 3; ++i) {
      const auto written = response.Write("x");
      if (!written) types.push_back(written.error().type);
    }
  };
  // The second write breaks: the API has answered before the end.
  http::FakeConnector::Script first{{Event("r-1", "{}"), Answer(413, "{}")}, 3};
  connector_.AddConnection(std::move(first));
  const std::string sent = Serve(handler, {{Event("r-2", "{}"), Accepted(), Fatal()}});
  EXPECT_EQ(types, std::vector<std::string>(2, "Function.ResponseSizeTooLarge"));
  EXPECT_THAT(log_.all(), HasSubstr("the response was not taken"));
  EXPECT_THAT(sent, HasSubstr("/invocation/r-2/response"));
}

TEST(CollectedResponse, ShowsWhatAHandlerWrote) {
  const auto export_rows = [](Rows event, ResponseStream& response) {
    response.SetContentType("text/csv");
    for (int row = 0; row < event.rows; ++row) (void)response.Write("row\n");
  };
  CollectedResponse response;
  ASSERT_TRUE(AdaptStream(export_rows)->Invoke(R"({"rows":2})", Context(), response));
  EXPECT_EQ(response.body, "row\nrow\n");
  EXPECT_EQ(response.content_type, "text/csv");
  EXPECT_FALSE(response.head.has_value());
}

}  // namespace
}  // namespace kelvin::runtime
