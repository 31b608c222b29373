#include "lab/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fake_clock.h"

namespace kelvin::lab {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ProgressTest : public ::testing::Test {
 protected:
  // Shows ten cold samples of 100 ms each, of 20 cold and 200 warm ones.
  void ShowTenCold(ProgressPrinter& printer) {
    for (std::size_t i = 0; i < 10; ++i) {
      printer.Show(Progress{.done = i,
                            .planned = 220,
                            .kind = SampleKind::kCold,
                            .function = "f",
                            .cold_left = 20 - i,
                            .warm_left = 200,
                            .warm_guess_ms = 5});
      clock_.Advance(std::chrono::milliseconds{100});
    }
  }

  const FakeClock clock_;
  std::string out_;
  ProgressPrinter::Sink sink_ = [this](std::string_view text) { out_ = text; };
};

TEST_F(ProgressTest, EstimatesColdAndWarmSamplesApart) {
  ProgressPrinter printer(clock_, ProgressForm::kLine, 80, sink_);
  ShowTenCold(printer);
  // 11 cold ones at 0.1 s and 200 warm ones at a guessed 5 ms.
  EXPECT_THAT(out_, HasSubstr("9/220 cold starts, 3 s left, f"));
}

TEST_F(ProgressTest, WritesOverItsLineAndTakesItAway) {
  ProgressPrinter printer(clock_, ProgressForm::kLine, 80, sink_);
  ShowTenCold(printer);
  EXPECT_TRUE(out_.starts_with("\r\x1b[K["));
  EXPECT_THAT(out_, Not(HasSubstr("\n")));
  printer.Clear();
  EXPECT_EQ(out_, "\r\x1b[K");
}

TEST_F(ProgressTest, NeverFillsTheLastColumn) {
  ProgressPrinter printer(clock_, ProgressForm::kLine, 30, sink_);
  ShowTenCold(printer);
  EXPECT_EQ(out_.size(), std::string_view("\r\x1b[K").size() + 29);
}

TEST_F(ProgressTest, WritesPlainLinesNowAndThenElsewhere) {
  int lines = 0;
  ProgressPrinter printer(clock_, ProgressForm::kLines, 80, [&](std::string_view text) {
    EXPECT_TRUE(text.ends_with('\n'));
    EXPECT_THAT(std::string(text), Not(HasSubstr("\x1b")));
    ++lines;
  });
  ShowTenCold(printer);
  EXPECT_EQ(lines, 1);
  clock_.Advance(std::chrono::seconds{5});
  ShowTenCold(printer);
  EXPECT_EQ(lines, 2);
  printer.Clear();
  EXPECT_EQ(lines, 2);
}

TEST_F(ProgressTest, EstimatesNothingFromOneSample) {
  ProgressPrinter printer(clock_, ProgressForm::kLine, 80, sink_);
  printer.Show(Progress{.done = 0, .planned = 10, .function = "f", .cold_left = 10});
  EXPECT_THAT(out_, Not(HasSubstr("left")));
}

}  // namespace
}  // namespace kelvin::lab
