#include "lab/overtaking.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kelvin::lab {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

void AddFunction(Record& record, const char* mode, const std::vector<double>& durations) {
  const std::size_t number = record.functions.size();
  record.functions.push_back({.name = std::string("f-") + mode, .group = "f", .mode = mode});
  for (std::size_t i = 0; i < durations.size(); ++i) {
    record.samples.push_back({.function = number,
                              .kind = SampleKind::kWarm,
                              .invoke = static_cast<int>(i) + 1,
                              .duration_ms = durations[i]});
  }
}

// `slow` invokes of 9 ms, then 20 of `then`.
std::vector<double> Durations(int slow, double then) {
  std::vector<double> durations(static_cast<std::size_t>(slow), 9);
  durations.insert(durations.end(), 20, then);
  return durations;
}

std::vector<std::string> LinesFor(const std::vector<double>& jit) {
  Record record;
  AddFunction(record, "aot", Durations(1, 4));
  AddFunction(record, "jit", jit);
  return OvertakingLines(record);
}

TEST(Overtaking, SaysAfterHowManyInvokes) {
  EXPECT_THAT(LinesFor(Durations(7, 2)), ElementsAre("f-jit overtakes f-aot after 7 invokes"));
  EXPECT_THAT(LinesFor(Durations(3, 2)), ElementsAre("f-jit overtakes f-aot after 3 invokes"));
  EXPECT_THAT(LinesFor(Durations(1, 2)), ElementsAre("f-jit overtakes f-aot after 1 invoke"));
  EXPECT_THAT(LinesFor(Durations(0, 2)), ElementsAre("f-jit overtakes f-aot at its first invoke"));
  EXPECT_THAT(LinesFor(Durations(5, 4)),
              ElementsAre("f-jit does not overtake f-aot within 25 invokes"));
}

TEST(Overtaking, AMomentsLuckOrDelayDoesNotCount) {
  std::vector<double> lucky = Durations(10, 2);
  lucky[3] = 1;
  EXPECT_THAT(LinesFor(lucky), ElementsAre("f-jit overtakes f-aot after 10 invokes"));
  std::vector<double> delayed = Durations(10, 2);
  delayed[20] = 50;
  EXPECT_THAT(LinesFor(delayed), ElementsAre("f-jit overtakes f-aot after 10 invokes"));
}

TEST(Overtaking, NeedsAnAotBuildAndNumbersOfInvokes) {
  Record record;
  AddFunction(record, "jit", Durations(3, 2));
  EXPECT_THAT(OvertakingLines(record), IsEmpty());
  AddFunction(record, "aot", Durations(1, 4));
  for (Sample& sample : record.samples) sample.invoke = 0;
  EXPECT_THAT(OvertakingLines(record), IsEmpty());
}

}  // namespace
}  // namespace kelvin::lab
