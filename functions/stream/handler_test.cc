#include "handler.h"

#include <gtest/gtest.h>

namespace stream {
namespace {

TEST(Export, WritesRows) {
  kelvin::CollectedResponse response;
  ASSERT_TRUE(Export({.rows = 3}, kelvin::Context(), response));
  EXPECT_EQ(response.body, "1,1\n2,4\n3,9\n");
  EXPECT_EQ(response.content_type, "text/csv");
}

TEST(Export, BeginsAnHttpResponseForAFunctionUrl) {
  kelvin::CollectedResponse response;
  const auto handler = kelvin::AdaptStream(Export);
  ASSERT_TRUE(handler->Invoke(R"({"rawPath":"/","queryStringParameters":{"rows":"2"}})",
                              kelvin::Context(), response));
  ASSERT_TRUE(response.head);
  EXPECT_EQ(response.head->headers.front().second, "text/csv");
  EXPECT_EQ(response.body, "1,1\n2,4\n");
}

TEST(Export, FailsAfterTheRowsBefore) {
  kelvin::CollectedResponse response;
  const auto exported = Export({.rows = 3, .fail_after = 2}, kelvin::Context(), response);
  ASSERT_FALSE(exported);
  EXPECT_EQ(exported.error().type, "Function.ExportFailed");
  EXPECT_EQ(response.body, "1,1\n2,4\n");
}

TEST(Export, RefusesWhatIsNoNumber) {
  kelvin::CollectedResponse response;
  const auto exported =
      Export({.queryStringParameters = {{{"rows", "many"}}}}, kelvin::Context(), response);
  ASSERT_FALSE(exported);
  EXPECT_EQ(exported.error().message, "expected a number of rows, got many");
}

}  // namespace
}  // namespace stream
