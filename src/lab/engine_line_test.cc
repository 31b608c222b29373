#include "lab/engine_line.h"

#include <gtest/gtest.h>

namespace kelvin::lab {
namespace {

constexpr std::string_view kLine =
    "KELVIN_ENGINE {\"mode\":\"r2r\",\"loadMs\":1.25,\"tier0Functions\":3,\"tier0Ms\":4.5,"
    "\"tier1Functions\":1,\"tier1Ms\":2,\"imageHits\":90,\"imageMisses\":7}\n";

TEST(EngineLine, IsReadFromALogTail) {
  const auto counters =
      FindEngineLine("START RequestId: 1\n" + std::string(kLine) + "END RequestId: 1\n");
  ASSERT_TRUE(counters.has_value());
  EXPECT_EQ(*counters, (EngineCounters{.mode = "r2r",
                                       .load_ms = 1.25,
                                       .tier0_functions = 3,
                                       .tier0_ms = 4.5,
                                       .tier1_functions = 1,
                                       .tier1_ms = 2,
                                       .image_hits = 90,
                                       .image_misses = 7}));
}

TEST(EngineLine, IsTheLastOneThatCanBeRead) {
  const std::string tail = std::string(kLine) + "KELVIN_ENGINE {\"mode\":\"jit\"}\nKELVIN_ENGINE {";
  EXPECT_EQ(FindEngineLine(tail)->mode, "jit");
}

TEST(EngineLine, IsNothingWithoutOne) {
  EXPECT_FALSE(FindEngineLine("").has_value());
  EXPECT_FALSE(FindEngineLine("printed KELVIN_ENGINE {\"mode\":\"jit\"}\n").has_value());
  EXPECT_FALSE(FindEngineLine("KELVIN_ENGINE []\nKELVIN_ENGINE {\"mode\":1}\n").has_value());
}

TEST(EngineLine, CountsNoNonsense) {
  const auto counters = FindEngineLine(
      R"(KELVIN_ENGINE {"mode":"jit","loadMs":-1,"tier0Functions":1e300,"tier0Ms":"x"})");
  ASSERT_TRUE(counters.has_value());
  EXPECT_EQ(counters->load_ms, 0);
  EXPECT_EQ(counters->tier0_functions, 9'000'000'000'000'000);
  EXPECT_EQ(counters->tier0_ms, 0);
}

}  // namespace
}  // namespace kelvin::lab
