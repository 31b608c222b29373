#include "lab/plan.h"

#include <map>
#include <set>
#include <tuple>

#include <gtest/gtest.h>

namespace kelvin::lab {
namespace {

std::vector<std::tuple<SampleKind, std::size_t>> Flat(const std::vector<Step>& steps) {
  std::vector<std::tuple<SampleKind, std::size_t>> flat;
  for (const Step& step : steps) flat.emplace_back(step.kind, step.function);
  return flat;
}

TEST(Plan, HasEverySampleOfEveryFunctionOnce) {
  const auto steps = MakePlan(3, {.cold = 4, .warm_up = 2, .warm = 7, .seed = 1});
  std::map<std::tuple<SampleKind, std::size_t>, int> counts;
  for (const auto& step : Flat(steps)) ++counts[step];
  for (std::size_t function = 0; function < 3; ++function) {
    EXPECT_EQ((counts[{SampleKind::kCold, function}]), 4);
    EXPECT_EQ((counts[{SampleKind::kWarmUp, function}]), 2);
    EXPECT_EQ((counts[{SampleKind::kWarm, function}]), 7);
  }
}

TEST(Plan, GoesInRoundsSoThatNoFunctionRunsAhead) {
  const auto steps = MakePlan(4, {.cold = 5, .warm_up = 0, .warm = 0, .seed = 9});
  for (std::size_t round = 0; round < 5; ++round) {
    std::set<std::size_t> seen;
    for (std::size_t i = 0; i < 4; ++i) seen.insert(steps[round * 4 + i].function);
    EXPECT_EQ(seen.size(), 4U);
  }
}

TEST(Plan, TakesColdThenWarmUpThenWarm) {
  const auto steps = MakePlan(2, {.cold = 3, .warm_up = 3, .warm = 3, .seed = 5});
  EXPECT_TRUE(std::is_sorted(steps.begin(), steps.end(),
                             [](const Step& a, const Step& b) { return a.kind < b.kind; }));
}

TEST(Plan, IsTheSameForTheSameSeedAndAnotherForAnother) {
  const PlanOptions options{.cold = 20, .warm_up = 5, .warm = 50, .seed = 42};
  PlanOptions other = options;
  other.seed = 43;
  EXPECT_EQ(Flat(MakePlan(3, options)), Flat(MakePlan(3, options)));
  EXPECT_NE(Flat(MakePlan(3, options)), Flat(MakePlan(3, other)));
}

TEST(Plan, IsPinnedForOneSeedSoThatRecordsStayRepeatable) {
  std::string order;
  for (const Step& step : MakePlan(3, {.cold = 8, .warm_up = 0, .warm = 0, .seed = 7})) {
    order += static_cast<char>('0' + step.function);
  }
  EXPECT_EQ(order, "120201120201012021210012");
}

TEST(Plan, OfNoFunctionsIsEmpty) {
  EXPECT_TRUE(MakePlan(0, {}).empty());
}

}  // namespace
}  // namespace kelvin::lab
