#include "handler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/fake_lambda_client.h"
#include "lab/record_reader.h"

namespace invoker {
namespace {

using ::testing::HasSubstr;

class InvokerTest : public ::testing::Test {
 protected:
  std::expected<std::string, kelvin::HandlerError> Invoke(std::string_view payload,
                                                          std::string targets = {}) {
    auto client = std::make_unique<kelvin::lab::FakeLambdaClient>(clock_);
    client->Add("f");
    client->Add("g");
    Handler handler(std::move(client), clock_, random_, std::move(targets));
    return handler(payload, kelvin::Context());
  }
  std::string ErrorOf(std::string_view payload) {
    const auto answer = Invoke(payload);
    return answer ? "no error" : answer.error().message;
  }

  kelvin::FakeClock clock_;
  kelvin::SystemRandom random_;
};

TEST_F(InvokerTest, AnswersWithARecordThatTheLabReads) {
  const auto answer =
      Invoke(R"({"functions":["f","g"],"cold":2,"warm_up":1,"warm":3,"payload":{"a":1}})");
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  const auto record = kelvin::lab::ParseRecord(*answer);
  ASSERT_TRUE(record.has_value()) << record.error().message;
  EXPECT_EQ(record->samples.size(), 12U);
  EXPECT_EQ(record->functions[1].payload, R"({"a":1})");
}

TEST_F(InvokerTest, TakesAListOfArnsOrTheVariable) {
  EXPECT_TRUE(Invoke(R"(["f"])").has_value());
  EXPECT_TRUE(Invoke("{}", "f,g").has_value());
}

TEST_F(InvokerTest, SaysWhatIsWrongWithARequest) {
  EXPECT_THAT(ErrorOf("7"), HasSubstr("a list of function ARNs"));
  EXPECT_THAT(ErrorOf("[]"), HasSubstr("TARGET_FUNCTIONS"));
  EXPECT_THAT(ErrorOf("[7]"), HasSubstr("got 7"));
  EXPECT_THAT(ErrorOf(R"({"functions":["f"],"cold":-1})"), HasSubstr("cold"));
  EXPECT_THAT(ErrorOf(R"(["none"])"), HasSubstr("Function not found: none"));
}

}  // namespace
}  // namespace invoker
