#include "handler.h"

#include <gtest/gtest.h>
#include <kelvin/kelvin.h>

namespace transform {
namespace {

TEST(Transform, GivesTheSameFiguresOnEveryMachine) {
  const auto figures = Transform({.size = 1000, .rounds = 10});
  ASSERT_TRUE(figures.has_value());
  EXPECT_EQ(figures->checksum, "d5f57fe0974673ff");
  EXPECT_EQ(figures->steps, 10'000U);
  EXPECT_LT(figures->smallest, figures->mean);
  EXPECT_GT(figures->largest, figures->mean);
}

TEST(Transform, DependsOnSizeAndRounds) {
  const auto one = Transform({.size = 1000, .rounds = 10});
  EXPECT_NE(one->checksum, Transform({.size = 1001, .rounds = 10})->checksum);
  EXPECT_NE(one->checksum, Transform({.size = 1000, .rounds = 11})->checksum);
}

TEST(Transform, MixesEachNumberByItself) {
  std::vector<std::uint32_t> both = {1, 2};
  std::vector<std::uint32_t> second = {2};
  Mix(both, 3);
  Mix(second, 3);
  EXPECT_EQ(both[1], second[0]);
}

TEST(Transform, RefusesAJobOutOfBounds) {
  for (const Job job : {Job{0, 1}, Job{4'194'305, 1}}) {
    const auto figures = Transform(job);
    ASSERT_FALSE(figures.has_value());
    EXPECT_EQ(figures.error().type, "Function.BadJob");
    EXPECT_EQ(figures.error().message,
              "expected size from 1 to 4194304, got " + std::to_string(job.size));
  }
  EXPECT_EQ(Transform({1, 0}).error().message, "expected rounds from 1 to 100000, got 0");
  EXPECT_EQ(Transform({1, 100'001}).error().message,
            "expected rounds from 1 to 100000, got 100001");
}

TEST(Transform, SpeaksJson) {
  const auto handler = kelvin::Adapt(Transform);
  const auto result = handler->Invoke(R"({"size":1,"rounds":1})", kelvin::Context());
  ASSERT_TRUE(result.has_value());
  EXPECT_TRUE(result->starts_with(R"({"checksum":")"));
}

}  // namespace
}  // namespace transform
