#include "http/request_parser.h"

#include <string>

#include <gtest/gtest.h>

namespace kelvin::http {
namespace {

constexpr RequestParser::Limits kLimits{
    .max_header_bytes = 1024, .max_body_bytes = 16, .max_discarded_bytes = 64};

TEST(RequestParser, ReadsARequestThatComesByteByByte) {
  const std::string wire =
      "POST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nX-Two: 2\r\n\r\nhello";
  Request request;
  RequestParser parser(request, kLimits);
  std::string pending;
  for (const char byte : wire) {
    EXPECT_FALSE(parser.done());
    pending.push_back(byte);
    pending.erase(0, parser.Put(pending));
    ASSERT_EQ(parser.problem(), RequestParser::Problem::kNone);
  }
  EXPECT_TRUE(parser.done());
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/a?b=c");
  EXPECT_EQ(request.headers.Get("x-two"), "2");
  EXPECT_EQ(request.body, "hello");
  EXPECT_TRUE(parser.keep_alive());
}

TEST(RequestParser, LeavesThePipelinedRequestAlone) {
  const std::string first = "GET /1 HTTP/1.1\r\n\r\n";
  const std::string wire = first + "GET /2 HTTP/1.1\r\n\r\n";
  Request request;
  RequestParser parser(request, kLimits);
  EXPECT_EQ(parser.Put(wire), first.size());
  EXPECT_TRUE(parser.done());
  EXPECT_EQ(request.target, "/1");
}

TEST(RequestParser, JoinsChunks) {
  Request request;
  RequestParser parser(request, kLimits);
  parser.Put(std::string_view{
      "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"});
  EXPECT_TRUE(parser.done());
  EXPECT_EQ(request.body, "abcde");
}

TEST(RequestParser, ThrowsAwayABodyOverTheLimit) {
  Request request;
  RequestParser parser(request, kLimits);
  parser.Put("POST / HTTP/1.1\r\nContent-Length: 20\r\n\r\n" + std::string(20, 'x'));
  EXPECT_TRUE(parser.done());
  EXPECT_TRUE(parser.too_large());
  EXPECT_EQ(request.body, "");
}

TEST(RequestParser, CountsTheChunksOfABodyThatNamesNoLength) {
  Request request;
  RequestParser parser(request, kLimits);
  parser.Put(
      std::string_view{"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "c\r\naaaaaaaaaaaa\r\nc\r\naaaaaaaaaaaa\r\n0\r\n\r\n"});
  EXPECT_TRUE(parser.done());
  EXPECT_TRUE(parser.too_large());
}

TEST(RequestParser, RefusesABodyBeyondWhatItThrowsAway) {
  Request request;
  RequestParser parser(request, kLimits);
  parser.Put(std::string_view{"POST / HTTP/1.1\r\nContent-Length: 65\r\n\r\n"});
  EXPECT_EQ(parser.problem(), RequestParser::Problem::kBodyTooLarge);
}

TEST(RequestParser, RefusesAHeadOverTheLimit) {
  Request request;
  RequestParser parser(request, kLimits);
  parser.Put("GET / HTTP/1.1\r\nX: " + std::string(2000, 'x'));
  EXPECT_EQ(parser.problem(), RequestParser::Problem::kHeaderTooLarge);
}

TEST(RequestParser, RefusesWhatIsNotHttp) {
  for (const std::string_view wire :
       {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "GET\r\n\r\n", "GET / HTTP/2.0\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    Request request;
    RequestParser parser(request, kLimits);
    parser.Put(wire);
    EXPECT_EQ(parser.problem(), RequestParser::Problem::kMalformed) << wire;
  }
}

TEST(RequestParser, SeesThatTheClientWaitsToBeToldToGoOn) {
  Request request;
  RequestParser parser(request, kLimits);
  parser.Put(
      std::string_view{"PUT / HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n"});
  EXPECT_TRUE(parser.head_done());
  EXPECT_FALSE(parser.done());
  EXPECT_TRUE(parser.expects_continue());
}

}  // namespace
}  // namespace kelvin::http
