#include "http/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/fake_stream.h"

namespace kelvin::http {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const Endpoint kEndpoint{"127.0.0.1", 9001};
constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

Request Get(std::string target) {
  return Request{"GET", std::move(target), {}, {}};
}

TEST(Client, KeepsTheConnectionForTheNextRequest) {
  FakeConnector network;
  network.AddConnection({.reads = {std::string(kOk), std::string(kOk)}});
  Client client(network, kEndpoint);
  EXPECT_EQ(client.Send(Get("/a"), kNoDeadline)->body, "ok");
  EXPECT_EQ(client.Send(Get("/b"), kNoDeadline)->body, "ok");
  ASSERT_EQ(network.written().size(), 1U);
  EXPECT_EQ(network.written()[0],
            "GET /a HTTP/1.1\r\nHost: 127.0.0.1:9001\r\n\r\nGET /b HTTP/1.1\r\nHost: "
            "127.0.0.1:9001\r\n\r\n");
}

TEST(Client, ReadsAnAnswerThatComesByteByByte) {
  FakeConnector network;
  FakeConnector::Script script;
  for (const char c :
       std::string("HTTP/1.1 202 Accepted\r\nX-A: 1\r\nContent-Length: 3\r\n\r\nabc")) {
    script.reads.emplace_back(std::string(1, c));
  }
  network.AddConnection(std::move(script));
  Client client(network, kEndpoint);
  const auto response = client.Send(Get("/"), kNoDeadline);
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_EQ(response->status, 202);
  EXPECT_EQ(response->headers.Get("x-a"), "1");
  EXPECT_EQ(response->body, "abc");
}

TEST(Client, ReadsChunksAndTrailers) {
  FakeConnector network;
  network.AddConnection(
      {.reads = {std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
                             "2\r\nde\r\n0\r\nX-Trailer: t\r\n\r\n")}});
  Client client(network, kEndpoint);
  const auto response = client.Send(Get("/"), kNoDeadline);
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_EQ(response->body, "abcde");
  EXPECT_EQ(response->headers.Get("X-Trailer"), "t");
}

TEST(Client, ConnectsAgainWhenAnIdleConnectionWasDropped) {
  FakeConnector network;
  network.AddConnection({.reads = {std::string(kOk), std::string()}});
  network.AddConnection({.reads = {std::string(kOk)}});
  Client client(network, kEndpoint);
  ASSERT_TRUE(client.Send(Get("/1"), kNoDeadline).has_value());
  ASSERT_TRUE(client.Send(Get("/2"), kNoDeadline).has_value());
  ASSERT_EQ(network.written().size(), 2U);
  EXPECT_THAT(network.written()[1], StartsWith("GET /2 "));
}

TEST(Client, ReportsADroppedConnectionWhereItMayNotSendAgain) {
  FakeConnector network;
  network.AddConnection({.reads = {std::string(kOk), std::string()}});
  Client client(network, kEndpoint);
  ASSERT_TRUE(client.Send(Get("/1"), kNoDeadline).has_value());
  const auto second = client.Send(Get("/2"), kNoDeadline, Resend::kNo);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
}

TEST(Client, ReadsTheAnswerOfAServerThatRefusesTheBody) {
  FakeConnector network;
  network.AddConnection(
      {.reads = {std::string(
           "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")},
       .fail_write_number = 1});
  Client client(network, kEndpoint);
  const auto response = client.Send(Request{"POST", "/", {}, "body"}, kNoDeadline);
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_EQ(response->status, 413);
  EXPECT_FALSE(client.connected());
}

TEST(Client, ClosesWhenTheServerSaysSo) {
  FakeConnector network;
  network.AddConnection(
      {.reads = {std::string("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it"),
                 std::string()}});
  Client client(network, kEndpoint);
  const auto response = client.Send(Get("/"), kNoDeadline);
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_EQ(response->body, "all of it");
  EXPECT_FALSE(client.connected());
}

TEST(Client, SkipsInformationalAnswers) {
  FakeConnector network;
  network.AddConnection({.reads = {"HTTP/1.1 100 Continue\r\n\r\n" + std::string(kOk)}});
  Client client(network, kEndpoint);
  EXPECT_EQ(client.Send(Get("/"), kNoDeadline)->status, 200);
}

TEST(Client, RefusesWhatIsNotHttp) {
  FakeConnector network;
  network.AddConnection({.reads = {std::string("SSH-2.0-OpenSSH_9.2\r\n\r\n")}});
  Client client(network, kEndpoint);
  const auto response = client.Send(Get("/"), kNoDeadline);
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().code, ErrorCode::kCorrupt);
  EXPECT_FALSE(client.connected());
}

TEST(Client, RefusesABodyBeyondItsLimit) {
  FakeConnector network;
  network.AddConnection({.reads = {std::string("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n")}});
  Client client(network, kEndpoint, ClientLimits{.max_body_bytes = 100});
  EXPECT_EQ(client.Send(Get("/"), kNoDeadline).error().code, ErrorCode::kResourceExhausted);
}

TEST(Client, PassesOnTheDeadline) {
  FakeConnector network;
  network.AddConnection({.reads = {std::unexpected(Error{ErrorCode::kTimeout, "late"})}});
  Client client(network, kEndpoint);
  EXPECT_EQ(client.Send(Get("/"), kNoDeadline).error().code, ErrorCode::kTimeout);
}

TEST(Endpoint, NamesWhatItExpected) {
  EXPECT_EQ(ParseEndpoint("127.0.0.1:80")->port, 80);
  EXPECT_EQ(ParseEndpoint("[::1]:80")->host, "::1");
  for (const char* bad : {"", ":", "host", "host:", "host:0", "host:65536", "host:8x", ":80"}) {
    const auto endpoint = ParseEndpoint(bad);
    ASSERT_FALSE(endpoint.has_value()) << bad;
    EXPECT_THAT(endpoint.error().message, HasSubstr("host:port"));
  }
}

TEST(Headers, IgnoreTheCaseOfNames) {
  Headers headers{{"Content-Type", "a"}};
  headers.Set("content-type", "b");
  EXPECT_EQ(headers.size(), 1U);
  EXPECT_EQ(headers.Get("CONTENT-TYPE"), "b");
  EXPECT_FALSE(headers.Has("Content"));
}

}  // namespace
}  // namespace kelvin::http
