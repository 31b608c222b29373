#include "aws/retry.h"

#include <expected>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/testing.h"
#include "base/fake_clock.h"

namespace kelvin::aws {
namespace {

using std::chrono::milliseconds;
using ::testing::EndsWith;

// The wait is then always the longest that the policy allows.
class GreatestRandom final : public Random {
 public:
  explicit GreatestRandom(milliseconds ceiling)
      : value_(static_cast<std::uint64_t>(std::chrono::nanoseconds(ceiling).count())) {}
  std::uint64_t Next() override { return value_; }

 private:
  std::uint64_t value_;
};

TEST(IsRetryable, SaysWhichFailuresMayPass) {
  for (const ErrorCode code :
       {ErrorCode::kThrottled, ErrorCode::kUnavailable, ErrorCode::kTimeout, ErrorCode::kCorrupt}) {
    EXPECT_TRUE(IsRetryable(code)) << ErrorCodeName(code);
  }
  for (const ErrorCode code :
       {ErrorCode::kInvalidArgument, ErrorCode::kNotFound, ErrorCode::kAlreadyExists,
        ErrorCode::kPermissionDenied, ErrorCode::kResourceExhausted, ErrorCode::kIo,
        ErrorCode::kInternal}) {
    EXPECT_FALSE(IsRetryable(code)) << ErrorCodeName(code);
  }
}

TEST(Retrier, WaitsUpToTwiceAsLongEachTimeUpToTheCap) {
  const FakeClock clock;
  const RetryPolicy policy{.max_attempts = 5, .base = milliseconds(100), .cap = milliseconds(350)};
  std::chrono::nanoseconds before{};
  int attempt = 0;
  for (const milliseconds ceiling :
       {milliseconds(100), milliseconds(200), milliseconds(350), milliseconds(350)}) {
    GreatestRandom random(ceiling);
    Retrier retrier(policy, clock, random, kNoDeadline);
    for (int i = 0; i <= attempt; ++i) {
      before = clock.elapsed();
      ASSERT_TRUE(retrier.WaitForNext(ErrorCode::kThrottled));
    }
    EXPECT_EQ(clock.elapsed() - before, ceiling) << "attempt " << attempt;
    ++attempt;
  }
}

TEST(Retrier, SpreadsTheWaitsBetweenNothingAndTheCeiling) {
  const FakeClock clock;
  CountingRandom random(0);
  Retrier retrier({.max_attempts = 3, .base = milliseconds(100)}, clock, random, kNoDeadline);
  ASSERT_TRUE(retrier.WaitForNext(ErrorCode::kUnavailable));
  EXPECT_EQ(clock.elapsed(), std::chrono::nanoseconds(0));
  ASSERT_TRUE(retrier.WaitForNext(ErrorCode::kUnavailable));
  EXPECT_EQ(clock.elapsed(), std::chrono::nanoseconds(1));
}

TEST(Retrier, StopsWhenTheAttemptsAreUsedUp) {
  const FakeClock clock;
  CountingRandom random;
  Retrier retrier({.max_attempts = 2}, clock, random, kNoDeadline);
  EXPECT_TRUE(retrier.WaitForNext(ErrorCode::kThrottled));
  EXPECT_FALSE(retrier.WaitForNext(ErrorCode::kThrottled));
  EXPECT_EQ(retrier.attempts(), 2);
}

TEST(Retrier, DoesNotWaitPastTheDeadline) {
  const FakeClock clock;
  GreatestRandom random(milliseconds(50));
  Retrier late({}, clock, random, clock.Now() + milliseconds(50));
  EXPECT_FALSE(late.WaitForNext(ErrorCode::kThrottled));
  EXPECT_EQ(clock.elapsed(), std::chrono::nanoseconds(0));
  Retrier early({}, clock, random, clock.Now() + milliseconds(51));
  EXPECT_TRUE(early.WaitForNext(ErrorCode::kThrottled));
}

TEST(WithRetries, GivesTheFirstSuccess) {
  const FakeClock clock;
  CountingRandom random;
  int calls = 0;
  const auto result =
      WithRetries(Retrier({}, clock, random, kNoDeadline), [&]() -> std::expected<int, Error> {
        if (++calls < 3) return std::unexpected(Error{ErrorCode::kTimeout, "t"});
        return 7;
      });
  EXPECT_EQ(result, 7);
  EXPECT_EQ(calls, 3);
}

TEST(WithRetries, SaysHowManyAttemptsFailed) {
  const FakeClock clock;
  CountingRandom random;
  const auto result = WithRetries(Retrier({.max_attempts = 4}, clock, random, kNoDeadline),
                                  []() -> std::expected<int, Error> {
                                    return std::unexpected(Error{ErrorCode::kUnavailable, "away"});
                                  });
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().message, "away (4 attempts)");
}

TEST(WithRetries, TriesOnceWhatCannotGoBetter) {
  const FakeClock clock;
  CountingRandom random;
  int calls = 0;
  const auto result =
      WithRetries(Retrier({}, clock, random, kNoDeadline), [&]() -> std::expected<int, Error> {
        ++calls;
        return std::unexpected(Error{ErrorCode::kNotFound, "no"});
      });
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().message, "no");
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace kelvin::aws
