#include "http/response_writer.h"

#include <gtest/gtest.h>

namespace kelvin::http {
namespace {

std::string Head(const Response& response, AfterAnswer after = AfterAnswer::kKeepOpen) {
  std::string out;
  AppendResponseHead(response, after, 784'111'777, out);
  return out;
}

TEST(ResponseWriter, WritesStatusDateHeadersAndLength) {
  EXPECT_EQ(Head({202, {{"Content-Type", "application/json"}}, "{}"}),
            "HTTP/1.1 202 Accepted\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n");
}

TEST(ResponseWriter, GivesNoLengthWhereThereCanBeNoBody) {
  EXPECT_EQ(Head({204, {}, ""}).find("Content-Length"), std::string::npos);
}

TEST(ResponseWriter, SaysThatItCloses) {
  EXPECT_NE(Head({200, {}, ""}, AfterAnswer::kClose).find("Connection: close\r\n"),
            std::string::npos);
}

TEST(ResponseWriter, LetsNoValueForgeAHeader) {
  EXPECT_NE(Head({200, {{"X", "a\r\nSet-Cookie: b"}}, ""}).find("X: a  Set-Cookie: b\r\n"),
            std::string::npos);
}

}  // namespace
}  // namespace kelvin::http
