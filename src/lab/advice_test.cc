#include "lab/advice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/example_record.h"

namespace kelvin::lab {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

PriceTable Prices() {
  return ParsePriceTable(BuiltInPrices()).value();
}

Advice One(const Needs& needs) {
  return Advise(ExampleRecord(), Prices(), needs).at(0);
}

const Recommendation& Find(const Advice& advice, std::string_view scenario) {
  for (const Recommendation& one : advice.recommendations) {
    if (one.scenario.starts_with(scenario)) return one;
  }
  throw std::runtime_error("no recommendation for " + std::string(scenario));
}

TEST(HoursSaved, IsThatOfThePublishedExample) {
  // 91 ms against 14 ms over a hundred million requests.
  EXPECT_NEAR(HoursSaved(1e8, 91 - 14), 2138.9, 0.05);
}

TEST(Advice, ChoosesTheBuildThatFitsEveryStatedNeed) {
  EXPECT_EQ(One({}).choice, "item-aot");
  EXPECT_EQ(One({.cold_target_ms = 100}).choice, "item-aot");
  EXPECT_EQ(One({.plugins = true}).choice, "item-jit");
  EXPECT_THAT(One({.cold_target_ms = 100, .plugins = true}).choice, IsEmpty());
  EXPECT_THAT(One({.cold_target_ms = 1}).choice, IsEmpty());
  EXPECT_THAT(One({.budget_usd = 0.01}).choice, IsEmpty());
}

TEST(Advice, NamesTheFiguresThatDecidedAndWhatWouldChangeIt) {
  const Advice advice = One({.requests = 2e7, .cold_target_ms = 100});
  const Recommendation& cold = Find(advice, "Cold start within");
  EXPECT_EQ(cold.choice, "item-aot");
  EXPECT_TRUE(cold.asked);
  EXPECT_THAT(cold.because, HasSubstr("item-aot 19.0 ms, item-jit 127 ms"));
  EXPECT_THAT(cold.changes_if, HasSubstr("below 19.0 ms"));
  EXPECT_EQ(Find(advice, "High volume").choice, "item-aot");
  EXPECT_EQ(Find(advice, "Prototypes").choice, "item-jit");
  EXPECT_THAT(Find(advice, "Long-running").because, HasSubstr("item-aot 1.00 ms"));
}

TEST(Advice, CountsTheReturn) {
  const Advice advice = One({.requests = 1e7});
  ASSERT_TRUE(advice.gain.has_value());
  EXPECT_EQ(advice.gain->from, "item-jit");
  const double waited = 10 * 0.99 + 127 * 0.01 - (1 * 0.99 + 19 * 0.01);
  EXPECT_NEAR(advice.gain->hours_of_waiting, 1e7 * waited / 3.6e6, 0.5);
  EXPECT_GT(advice.gain->usd_a_month, 0.5);
}

TEST(Advice, IsReadableAndJson) {
  const Needs needs{.reflection = true, .migration = true};
  const auto advice = Advise(ExampleRecord(), Prices(), needs);
  EXPECT_THAT(AdviceText(advice, ExampleRecord(), needs), HasSubstr("ship item-aot"));
  const auto json = boost::json::parse(AdviceJson(advice));
  EXPECT_EQ(json.at(0).at("choice").as_string(), "item-aot");
}

TEST(Advice, IsNoneWithoutFigures) {
  Record record = ExampleRecord();
  record.samples.clear();
  EXPECT_THAT(Advise(record, Prices(), {}), SizeIs(0));
}

}  // namespace
}  // namespace kelvin::lab
