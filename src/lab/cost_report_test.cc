#include "lab/cost_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/example_record.h"

namespace kelvin::lab {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

PriceTable Prices() {
  return ParsePriceTable(BuiltInPrices()).value();
}

NamedUsage Given(const char* name, int memory, double billed) {
  return {name, Usage{.requests = 1e6, .memory_mb = memory, .warm_billed_ms = billed}};
}

// The published figures of the .NET demo, with 1 GB = 1024 MB.
const std::vector<NamedUsage> kDemo = {Given("Regular", 512, 91), Given("ReadyToRun", 512, 99),
                                       Given("AOT", 256, 14)};

TEST(CostTable, IsThatOfTheWorkedCheck) {
  const auto table = CostTable(kDemo, Prices());
  ASSERT_TRUE(table.has_value()) << table.error().message;
  const auto row = [&](std::size_t i) { return std::pair(table->rows[i][4], table->rows[i][8]); };
  EXPECT_EQ(row(0), std::pair(std::string("45500"), std::string("$0.96")));
  EXPECT_EQ(row(1), std::pair(std::string("49500"), std::string("$1.03")));
  EXPECT_EQ(row(2), std::pair(std::string("3500"), std::string("$0.26")));
}

TEST(SavingLines, TellEqualMemoryFromTheirOwn) {
  const auto lines = SavingLines({kDemo[0], kDemo[2]}, Prices());
  ASSERT_TRUE(lines.has_value());
  EXPECT_THAT(*lines, ElementsAre(HasSubstr(
                          "AOT saves 67 % against Regular at 512 MB for both, 73 % at their own")));
  EXPECT_THAT(SavingLines({kDemo[0]}, Prices()).value(), IsEmpty());
}

TEST(UsagesOf, TakeWhatWasBilled) {
  const auto usages = UsagesOf(ExampleRecord(), Prices(), 1e7, 0.5, "ap-east-1");
  ASSERT_EQ(usages.size(), 2U);
  EXPECT_EQ(usages[0].usage.warm_billed_ms, 10);
  EXPECT_EQ(usages[0].usage.cold_share, 0.5);
  EXPECT_EQ(usages[0].usage.region, "ap-east-1");
}

TEST(CostTable, SaysWhereThereIsNoPrice) {
  const auto usages = UsagesOf(ExampleRecord(), Prices(), 1e7, {}, "mars-north-1");
  const auto table = CostTable(usages, Prices());
  ASSERT_FALSE(table.has_value());
  EXPECT_THAT(table.error().message, HasSubstr("mars-north-1"));
  EXPECT_THAT(table.error().message, HasSubstr("--prices"));
}

}  // namespace
}  // namespace kelvin::lab
