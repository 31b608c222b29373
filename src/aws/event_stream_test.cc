#include "aws/event_stream.h"

#include <gtest/gtest.h>

#include "base/encoding.h"

namespace kelvin::aws {
namespace {

std::string Hex(const EventMessage& message) {
  std::string bytes;
  AppendEvent(message, bytes);
  return HexEncode(bytes);
}

// The vectors that AWS's SDKs are tested with.
TEST(EventStream, EncodesAnEmptyMessage) {
  EXPECT_EQ(Hex({}), "000000100000000005c248eb7d98c8ff");
}

TEST(EventStream, EncodesAPayload) {
  EXPECT_EQ(Hex({.headers = {}, .payload = "{'foo':'bar'}"}),
            "0000001d00000000fd528c5a7b27666f6f273a27626172277dc3653936");
}

TEST(EventStream, EncodesHeaders) {
  std::string bytes;
  AppendEvent({.headers = {{":event-type", "x"}}, .payload = "p"}, bytes);
  ASSERT_EQ(bytes.size(), 12u + 1 + 11 + 1 + 2 + 1 + 1 + 4);
  EXPECT_EQ(bytes.substr(12, 12), std::string("\x0b:event-type", 12));
  EXPECT_EQ(bytes.substr(24, 4), std::string("\x07\x00\x01x", 4));
}

TEST(EventStream, AppendsOneMessageBehindAnother) {
  std::string both;
  AppendEvent({}, both);
  AppendEvent({}, both);
  EXPECT_EQ(both.substr(0, 16), both.substr(16));
}

}  // namespace
}  // namespace kelvin::aws
