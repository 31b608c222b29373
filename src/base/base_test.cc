#include <cerrno>
#include <filesystem>
#include <string>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/crc32.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/fake_clock.h"
#include "base/file.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/time_format.h"

namespace kelvin {
namespace {

using ::testing::HasSubstr;

class CountingRandom final : public Random {
 public:
  std::uint64_t Next() override { return value_++ * 0x9e3779b97f4a7c15ULL; }

 private:
  std::uint64_t value_ = 1;
};

TEST(Crc32, GivesTheCheckValueOfTheAlgorithm) {
  EXPECT_EQ(Crc32("123456789"), 0xcbf43926U);
  EXPECT_EQ(Crc32(""), 0U);
  EXPECT_EQ(Crc32("\xff\xff\xff\xff"), 0xffffffffU);
  EXPECT_EQ(Crc32("The quick brown fox jumps over the lazy dog"), 0x414fa339U);
}

TEST(Base64, EncodesTheVectorsOfRfc4648) {
  EXPECT_EQ(Base64Encode(""), "");
  EXPECT_EQ(Base64Encode("f"), "Zg==");
  EXPECT_EQ(Base64Encode("fo"), "Zm8=");
  EXPECT_EQ(Base64Encode("foo"), "Zm9v");
  EXPECT_EQ(Base64Encode("foobar"), "Zm9vYmFy");
}

TEST(Base64, DecodesWhatItEncodes) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    const auto decoded = Base64Decode(Base64Encode(bytes));
    ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
    EXPECT_EQ(*decoded, bytes);
    bytes += static_cast<char>(i * 37);
  }
}

TEST(Base64, RefusesWhatIsNotBase64) {
  for (const char* bad :
       {"Z", "Zg=", "Zg===", "Z===", "Zm9v!A==", "Zh==", "Zg==Zg==", "\xff\xff\xff\xff"}) {
    EXPECT_FALSE(Base64Decode(bad).has_value()) << bad;
  }
}

TEST(Percent, KeepsUnreservedAndEncodesTheRest) {
  EXPECT_EQ(PercentEncode("a-_.~/ \xc3\xa9"), "a-_.~%2F%20%C3%A9");
  EXPECT_EQ(PercentEncode("a/b", Slash::kKeep), "a/b");
  EXPECT_EQ(PercentDecode("a%2Fb%20"), "a/b ");
}

TEST(Percent, RefusesACutEscape) {
  EXPECT_FALSE(PercentDecode("a%2").has_value());
  EXPECT_FALSE(PercentDecode("%").has_value());
  EXPECT_FALSE(PercentDecode("%zz").has_value());
}

TEST(Time, FormatsAsLambdaAndSigV4Do) {
  const Clock::WallTime time{std::chrono::milliseconds{1'440'938'160'123}};
  EXPECT_EQ(FormatIso8601(time), "2015-08-30T12:36:00.123Z");
  EXPECT_EQ(FormatLastModified(time), "2015-08-30T12:36:00.123+0000");
  EXPECT_EQ(FormatAmzDate(time), "20150830T123600Z");
  EXPECT_EQ(FormatDatePath(time), "2015/08/30");
}

TEST(Time, ReadsAmzDatesAsFarAsTheClockGoes) {
  const auto again = [](std::string_view text) {
    const auto time = ParseAmzDate(text);
    return time ? FormatAmzDate(*time) : std::string("none");
  };
  EXPECT_EQ(again("20150830T123600Z"), "20150830T123600Z");
  EXPECT_EQ(again("99990102T030405Z"), "22610102T030405Z");
  EXPECT_EQ(again("00010102T030405Z"), "16780102T030405Z");
  for (const char* no : {"2o150830T123600Z", "20151330T123600Z", "20150830T1236Z", ""}) {
    EXPECT_EQ(again(no), "none") << no;
  }
}

TEST(Ids, AreVersionFourUuids) {
  CountingRandom random;
  const std::string id = NewUuid(random);
  EXPECT_THAT(id, ::testing::MatchesRegex(
                      "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  EXPECT_NE(NewUuid(random), id);
  EXPECT_EQ(NewHex(random, 32).size(), 32U);
}

TEST(File, ReadsWhatItWroteAndLeavesNothingBeside) {
  auto folder = TemporaryDirectory::Create();
  ASSERT_TRUE(folder.has_value());
  const auto path = folder->path() / "state";
  ASSERT_TRUE(WriteFileAtomically(path, "one").has_value());
  ASSERT_TRUE(WriteFileAtomically(path, std::string(200'000, 'x')).has_value());
  EXPECT_EQ(ReadFile(path), std::string(200'000, 'x'));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder->path()), {}), 1);
}

TEST(File, SaysWhichFileCouldNotBeRead) {
  const auto missing = ReadFile("/nonexistent/file");
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(missing.error().message, HasSubstr("/nonexistent/file"));
  EXPECT_FALSE(ReadFile("/tmp").has_value());
  EXPECT_EQ(ReadFile("/proc/self/status", 10).error().code, ErrorCode::kResourceExhausted);
}

TEST(File, ReportsAFullDisk) {
  const UniqueFd full(::open("/dev/full", 1));
  const auto written = WriteAll(full.get(), "x");
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().code, ErrorCode::kResourceExhausted);
}

TEST(TemporaryDirectory, GoesWithAllInIt) {
  std::filesystem::path path;
  {
    auto folder = TemporaryDirectory::Create();
    ASSERT_TRUE(folder.has_value());
    path = folder->path();
    ASSERT_TRUE(WriteFileAtomically(path / "x", "y").has_value());
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(Error, KeepsTheMeaningOfErrno) {
  EXPECT_EQ(ErrnoError("open x", ENOSPC).code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(ErrnoError("open x", ENOENT).message, "cannot open x: No such file or directory");
}

TEST(Log, WritesLinesAtAndAboveItsThreshold) {
  const FakeClock clock;
  std::string out;
  Log log(clock, LogLevel::kInfo, [&](std::string_view line) { out += line; });
  log.Write(LogLevel::kDebug, "test", "hidden");
  log.Write(LogLevel::kWarn, "test", "seen {}", 1);
  EXPECT_EQ(out, "2023-11-14T22:13:20.000Z WARN test: seen 1\n");
}

TEST(FakeClock, MovesOnlyWhenTold) {
  const FakeClock clock;
  const auto start = clock.Now();
  EXPECT_EQ(clock.Now(), start);
  clock.SleepFor(std::chrono::seconds{2});
  EXPECT_EQ(clock.Now() - start, std::chrono::seconds{2});
}

}  // namespace
}  // namespace kelvin
