#include "kelvin/handler.h"

#include <map>
#include <vector>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace kelvin {
namespace {

using ::testing::HasSubstr;

struct Order {
  std::string id;
  int count = 0;
};
BOOST_DESCRIBE_STRUCT(Order, (), (id, count))

template <typename Handler>
std::expected<std::string, HandlerError> Invoke(Handler handler, std::string_view payload) {
  return Adapt(std::move(handler))->Invoke(payload, Context({.request_id = "r-1"}));
}

Order Doubled(const Order& order) {
  return {order.id, order.count * 2};
}
int Plain(int number) noexcept {
  return number + 1;
}

TEST(Handler, TakesAFunctionOfOneEvent) {
  EXPECT_EQ(Invoke(Doubled, R"({"id":"a","count":4})").value(), R"({"id":"a","count":8})");
  EXPECT_EQ(Invoke(Plain, "1").value(), "2");
}

TEST(Handler, TakesALambdaWithContext) {
  EXPECT_EQ(Invoke([](std::string name,
                      const Context& context) { return name + std::string(context.request_id()); },
                   R"("for ")")
                .value(),
            R"("for r-1")");
}

TEST(Handler, TakesAnObjectWithStateThatOnlyMoves) {
  struct Counter {
    std::unique_ptr<int> count = std::make_unique<int>(0);
    int operator()(int step) { return *count += step; }
  };
  const auto handler = Adapt(Counter{});
  EXPECT_EQ(handler->Invoke("2", Context()).value(), "2");
  EXPECT_EQ(handler->Invoke("3", Context()).value(), "5");
}

TEST(Handler, GivesARawHandlerTheBytesAsTheyCome) {
  const std::string odd = std::string("\x00\xff{", 3);
  EXPECT_EQ(Invoke([](std::string_view payload) { return std::string(payload); }, odd).value(),
            odd);
  EXPECT_EQ(Invoke([](std::string_view payload, const Context&)
                       -> std::expected<std::string, HandlerError> { return std::string(payload); },
                   odd)
                .value(),
            odd);
}

TEST(Handler, AnswersNullForVoid) {
  EXPECT_EQ(Invoke([](int) {}, "1").value(), "null");
  EXPECT_EQ(Invoke([](int) -> std::expected<void, HandlerError> { return {}; }, "1").value(),
            "null");
}

TEST(Handler, WritesMapsVectorsOptionalsAndUuids) {
  using Result = std::map<std::string, std::vector<std::optional<int>>>;
  EXPECT_EQ(Invoke([](int) { return Result{{"a", {1, std::nullopt}}}; }, "1").value(),
            R"({"a":[1,null]})");
  EXPECT_EQ(Invoke([](Uuid id) { return id; }, R"("2F1D5C1E-7C1B-4D8E-9A55-0C3F6F1F7E10")").value(),
            R"("2f1d5c1e-7c1b-4d8e-9a55-0c3f6f1f7e10")");
}

TEST(Handler, WritesALongResultWhole) {
  const std::string result =
      Invoke(
          [](int count) {
            return std::vector<std::string>(static_cast<std::size_t>(count), "ten bytes!");
          },
          "2000")
          .value();
  EXPECT_EQ(result.size(), 2 + 2000 * 12 + 1999U);
  EXPECT_EQ(result.front(), '[');
  EXPECT_EQ(result.back(), ']');
}

TEST(Handler, PassesItsErrorOn) {
  const auto result = Invoke(
      [](int) -> std::expected<int, HandlerError> {
        return std::unexpected(HandlerError{"TooMuch", "expected less"});
      },
      "1");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().type, "TooMuch");
  EXPECT_EQ(result.error().message, "expected less");
  EXPECT_THAT(result.error().where.file_name(), HasSubstr("handler_test.cc"));
}

TEST(Handler, TakesStringsAndAnythingWithAMessageForErrors) {
  const auto text =
      Invoke([](int) -> std::expected<int, std::string> { return std::unexpected("no"); }, "1");
  EXPECT_EQ(text.error().type, "Function.Error");
  EXPECT_EQ(text.error().message, "no");
  const auto own = Invoke(
      [](int) -> std::expected<int, Error> {
        return std::unexpected(Error{ErrorCode::kTimeout, "too late"});
      },
      "1");
  EXPECT_EQ(own.error().type, "kelvin::Error");
  EXPECT_EQ(own.error().message, "too late");
}

TEST(Handler, DoesNotRunOnAnEventThatDoesNotFit) {
  bool ran = false;
  const auto result = Invoke(
      [&](const Order& order) {
        ran = true;
        return order.count;
      },
      R"({"id":"a","count":"four"})");
  EXPECT_FALSE(ran);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().type, "Runtime.UnmarshalError");
  EXPECT_EQ(
      result.error().message,
      R"($.count: expected an integer from -2147483648 to 2147483647, got the string "four")");
}

}  // namespace
}  // namespace kelvin
