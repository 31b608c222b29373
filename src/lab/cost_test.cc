#include "lab/cost.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kelvin::lab {
namespace {

using ::testing::HasSubstr;

PriceTable Prices() {
  auto table = ParsePriceTable(BuiltInPrices());
  EXPECT_TRUE(table.has_value()) << table.error().message;
  return table.value_or(PriceTable{});
}

Usage Million(double warm_ms, int memory_mb) {
  return Usage{.requests = 1e6, .memory_mb = memory_mb, .warm_billed_ms = warm_ms};
}

TEST(MonthlyCost, AgreesWithTheWorkedCheck) {
  const PriceTable prices = Prices();
  const auto regular = MonthlyCost(prices, Million(91, 512));
  ASSERT_TRUE(regular.has_value());
  EXPECT_DOUBLE_EQ(regular->gb_seconds, 45'500);
  EXPECT_NEAR(regular->total_usd(), 0.96, 0.005);
  EXPECT_NEAR(MonthlyCost(prices, Million(99, 512))->gb_seconds, 49'500, 1e-6);
  EXPECT_NEAR(MonthlyCost(prices, Million(99, 512))->total_usd(), 1.03, 0.005);
  EXPECT_NEAR(MonthlyCost(prices, Million(14, 256))->gb_seconds, 3'500, 1e-6);
  EXPECT_NEAR(MonthlyCost(prices, Million(14, 256))->total_usd(), 0.26, 0.005);
}

TEST(MonthlyCost, SavesTwoThirdsAtEqualMemory) {
  const PriceTable prices = Prices();
  const double regular = MonthlyCost(prices, Million(91, 512))->total_usd();
  const double aot = MonthlyCost(prices, Million(14, 512))->total_usd();
  EXPECT_NEAR(1 - aot / regular, 0.67, 0.005);
}

TEST(MonthlyCost, MixesColdInvokesInAtTheirShare) {
  Usage usage = Million(10, 1024);
  usage.cold_billed_ms = 110;
  usage.cold_share = 0.1;
  EXPECT_NEAR(MonthlyCost(Prices(), usage)->gb_seconds, 20'000, 1e-6);
}

TEST(MonthlyCost, TakesTheFreeTierOffFirst) {
  Usage usage = Million(100, 1024);
  usage.requests = 5e6;
  usage.free_tier = FreeTier::kApply;
  const auto cost = MonthlyCost(Prices(), usage);
  EXPECT_NEAR(cost->requests_usd, 0.80, 1e-9);
  EXPECT_NEAR(cost->duration_usd, 100'000 * 0.0000166667, 1e-9);
  usage.requests = 1e6;
  EXPECT_DOUBLE_EQ(MonthlyCost(Prices(), usage)->total_usd(), 0);
}

TEST(MonthlyCost, ChangesPriceAtTheTiers) {
  Usage usage = Million(1000, 1024);
  usage.requests = 16e9;
  EXPECT_NEAR(MonthlyCost(Prices(), usage)->duration_usd,
              6e9 * 0.0000166667 + 9e9 * 0.0000150000 + 1e9 * 0.0000133334, 1e-3);
}

TEST(MonthlyCost, ChargesForTmpAboveTheFreePart) {
  Usage usage = Million(1000, 1024);
  usage.tmp_mb = 512 + 1024;
  EXPECT_NEAR(MonthlyCost(Prices(), usage)->tmp_usd, 1e6 * 0.0000000309, 1e-12);
}

TEST(MonthlyCost, KnowsRegionsAndArchitectures) {
  Usage usage = Million(1000, 1024);
  usage.region = "ap-east-1";
  EXPECT_NEAR(MonthlyCost(Prices(), usage)->duration_usd, 1e6 * 0.0000166667 * 1.38, 1e-6);
  usage.region = "us-east-1";
  usage.architecture = "arm64";
  EXPECT_NEAR(MonthlyCost(Prices(), usage)->duration_usd, 1e6 * 0.0000133334, 1e-6);
}

TEST(MonthlyCost, SaysWhatToDoAboutAMissingRegion) {
  Usage usage = Million(1, 128);
  usage.region = "mars-north-1";
  const auto cost = MonthlyCost(Prices(), usage);
  ASSERT_FALSE(cost.has_value());
  EXPECT_EQ(cost.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(cost.error().message, HasSubstr("mars-north-1"));
  EXPECT_THAT(cost.error().message, HasSubstr("--prices"));
  usage.architecture = "riscv";
  EXPECT_THAT(MonthlyCost(Prices(), usage).error().message, HasSubstr("riscv"));
}

TEST(PriceTable, NamesTheFieldThatIsWrong) {
  const auto message = [](std::string_view text) {
    const auto table = ParsePriceTable(text);
    return table.has_value() ? std::string("accepted") : table.error().message;
  };
  EXPECT_THAT(message("nonsense"), HasSubstr("JSON object"));
  EXPECT_THAT(message("{}"), HasSubstr("'date'"));
  EXPECT_THAT(message(R"({"date":"x","request":-1})"), HasSubstr("'request'"));
  EXPECT_THAT(message(R"({"date":"x","request":1})"), HasSubstr("'architectures'"));
  EXPECT_THAT(message(R"({"date":"x","request":1,"architectures":{"a":{"gb_second_tiers":[]}}})"),
              HasSubstr("architectures.a.gb_second_tiers"));
  EXPECT_THAT(message(R"({"date":"x","request":1,"architectures":{"a":{"gb_second_tiers":
                        [{"up_to_gb_seconds":5,"usd":1},{"up_to_gb_seconds":4,"usd":1}]}}})"),
              HasSubstr("ascending"));
  EXPECT_THAT(message(R"({"date":"x","request":1,"architectures":{}})"), HasSubstr("'tmp'"));
}

}  // namespace
}  // namespace kelvin::lab
