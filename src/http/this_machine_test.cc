#include "http/this_machine.h"

#include <gtest/gtest.h>

namespace kelvin::http {
namespace {

TEST(ThisMachine, IsALoopbackAddressOrLocalhost) {
  for (const char* host : {"127.0.0.1:9001", "localhost", "LOCALHOST.localhost:1", "[::1]:9001",
                           "127.1.2.3", "id.lambda-url.us-east-1.localhost:9001"}) {
    EXPECT_TRUE(IsThisMachine(host)) << host;
  }
  for (const char* host : {"", "example.com", "localhost.example.com", "127.0.0.1.example.com",
                           "10.0.0.1", "[::2]", "127.0.0", "1270.0.0.1", "127.x.0.1"}) {
    EXPECT_FALSE(IsThisMachine(host)) << host;
  }
}

}  // namespace
}  // namespace kelvin::http
