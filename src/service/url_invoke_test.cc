#include "service/url_invoke.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kelvin::service {
namespace {

const Place kPlace{"us-east-1", "123456789012"};

TEST(FunctionUrlAddress, IsFoundInThePathOrTheHost) {
  const auto by_path =
      FunctionUrls::AddressOf({"GET", "/function-urls/abc/x/y?z=1", {{"Host", "h"}}, ""});
  ASSERT_TRUE(by_path);
  EXPECT_EQ(by_path->id, "abc");
  EXPECT_EQ(by_path->target, "/x/y?z=1");
  EXPECT_EQ(FunctionUrls::AddressOf({"GET", "/function-urls/abc?z", {}, ""})->target, "/?z");
  const auto by_host = FunctionUrls::AddressOf(
      {"GET", "/x", {{"Host", "abc.lambda-url.us-east-1.localhost:9001"}}, ""});
  ASSERT_TRUE(by_host);
  EXPECT_EQ(by_host->id, "abc");
  EXPECT_EQ(by_host->target, "/x");
  EXPECT_FALSE(FunctionUrls::AddressOf({"GET", "/2015-03-31/functions", {{"Host", "h"}}, ""}));
}

TEST(UrlEvent, SurvivesWhatIsNoUrl) {
  const auto event = boost::json::parse(
      UrlEvent({"id", "/%zz?a=%&&=&b"}, {"GET", "", {{"Cookie", ";; a=1;"}}, ""}, "r", kPlace, {}));
  EXPECT_EQ(event.at("rawPath").as_string(), "/%zz");
  EXPECT_EQ(event.at("cookies").as_array().size(), 1u);
  EXPECT_FALSE(event.at("isBase64Encoded").as_bool());
}

TEST(UrlResponse, TakesApartWhatHasAStatusCode) {
  const auto response = UrlResponse(
      R"({"statusCode":418,"headers":{"X":"1"},"cookies":["a=b"],"body":"AAE=","isBase64Encoded":true})");
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 418);
  EXPECT_EQ(response->headers.Get("X"), "1");
  EXPECT_EQ(response->headers.Get("Set-Cookie"), "a=b");
  EXPECT_EQ(response->body, std::string("\0\1", 2));
}

TEST(UrlResponse, TakesEverythingElseAsTheBody) {
  const std::pair<std::string, std::string_view> kCases[] = {
      {R"({"a":1})", R"({"a":1})"},
      {R"( { "a b" : "c \" d" } )", R"({"a b":"c \" d"})"},
      {R"(["hello", 3, true])", R"(["hello",3,true])"},
      {R"("\\ text")", R"(\ text)"},
      {"3.1", "3.1"},
      {"no json", "no json"},
      {"", ""},
  };
  for (const auto& [payload, body] : kCases) {
    const auto response = UrlResponse(payload);
    ASSERT_TRUE(response) << payload;
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->body, body);
    EXPECT_EQ(response->headers.Get("Content-Type"), "application/json");
  }
}

TEST(UrlResponse, TakesAStatusThatIsWrittenAsText) {
  EXPECT_EQ(UrlResponse(R"({"statusCode":"418","body":"teapot"})")->status, 418);
}

TEST(AddForwarding, TellsWhereARequestCameFrom) {
  http::Headers headers{{"Host", "127.0.0.1:9001"}};
  AddForwarding("Root=1", headers);
  EXPECT_EQ(headers.Get("X-Forwarded-For"), "127.0.0.1");
  EXPECT_EQ(headers.Get("X-Forwarded-Port"), "9001");
  EXPECT_EQ(headers.Get("X-Forwarded-Proto"), "http");
  EXPECT_EQ(headers.Get("X-Amzn-Trace-Id"), "Root=1");
  http::Headers proxied{{"Host", "[::1]"}, {"X-Forwarded-For", "10.0.0.1"}};
  AddForwarding("Root=1", proxied);
  EXPECT_EQ(proxied.Get("X-Forwarded-For"), "10.0.0.1, 127.0.0.1");
  EXPECT_EQ(proxied.Get("X-Forwarded-Port"), "80");
}

TEST(UrlResponse, RefusesABrokenForm) {
  EXPECT_FALSE(UrlResponse(R"({"statusCode":"x"})"));
  EXPECT_FALSE(UrlResponse(R"({"statusCode":9})"));
  EXPECT_FALSE(UrlResponse(R"({"statusCode":200,"body":"*","isBase64Encoded":true})"));
  EXPECT_FALSE(ReadPrelude("[]"));
  EXPECT_FALSE(ReadPrelude("{"));
}

TEST(AddCors, AllowsTheOriginsThatAreNamed) {
  const Cors cors{.allow_credentials = true,
                  .allow_headers = {},
                  .allow_methods = {"GET", "PUT"},
                  .allow_origins = {"https://a"},
                  .expose_headers = {"X"},
                  .max_age = 9};
  http::Response allowed;
  AddCors(cors, {{"Origin", "https://a"}, {"Access-Control-Request-Method", "PUT"}}, allowed);
  EXPECT_EQ(allowed.headers.Get("Access-Control-Allow-Origin"), "https://a");
  EXPECT_EQ(allowed.headers.Get("Access-Control-Allow-Methods"), "GET,PUT");
  EXPECT_EQ(allowed.headers.Get("Access-Control-Max-Age"), "9");
  http::Response refused;
  AddCors(cors, {{"Origin", "https://b"}}, refused);
  EXPECT_TRUE(refused.headers.empty());
}

}  // namespace
}  // namespace kelvin::service
