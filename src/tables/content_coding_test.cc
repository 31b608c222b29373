#include "tables/content_coding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kelvin::tables {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kMax = 1 << 20;

struct Preference {
  std::string_view header;
  std::string_view name;
};

class PreferredCodingTest : public ::testing::TestWithParam<Preference> {};

TEST_P(PreferredCodingTest, ReadsTheHeaderAsDynamoDbDoes) {
  EXPECT_EQ(ContentCodingName(PreferredCoding(GetParam().header)), GetParam().name);
}

INSTANTIATE_TEST_SUITE_P(
    Of, PreferredCodingTest,
    ::testing::Values(
        Preference{"", ""}, Preference{"identity", ""}, Preference{"br, zstd, x-gzip", ""},
        Preference{"gzip", "gzip"}, Preference{"deflate", "deflate"}, Preference{"GZip", "gzip"},
        Preference{"gzip, deflate", "gzip"}, Preference{"br, identity, deflate, gzip", "deflate"},
        Preference{"dog, gzip ,, cat", "gzip"}, Preference{"gzip ;q=0", ""},
        Preference{"gzip;q=0.2, deflate; q = 0.5", "deflate"},
        Preference{"gzip;q=31, deflate;q=51", "gzip"},
        Preference{"deflate;q=-1, gzip;q=0.2", "gzip"},
        Preference{"deflate;q=0.5, gzip;q=0.", "deflate"},
        Preference{"deflate;q=0.5, gzip;q=0.x", "gzip"}, Preference{"gzip;n=1;q=0", ""},
        Preference{"deflate;q=0.5, gzip;q=1;q=0.2", "gzip"},
        Preference{"gzip;q=0, gzip;q=1, gzip;q=0", "gzip"}, Preference{"*", "gzip"},
        Preference{"*, deflate", "deflate"}, Preference{"*, gzip;q=0.5", "deflate"},
        Preference{"*;q=0", ""}, Preference{"*;q=0.5, identity", "gzip"},
        Preference{"gzip;q=0, deflate;q=0, *", ""}, Preference{"\"gzip\"", ""},
        Preference{"gzip br", ""}, Preference{"gzip:q=1", ""}, Preference{";;,=,q=", ""}));

TEST(ContentCoding, GoesThereAndBack) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += std::to_string(i);
  const std::string packed = Encode(text, ContentCoding::kGzip);
  EXPECT_LT(packed.size(), text.size());
  EXPECT_EQ(Gunzip(packed, kMax), text);
}

TEST(Gunzip, TakesSeveralMembers) {
  EXPECT_EQ(
      Gunzip(Encode("one ", ContentCoding::kGzip) + Encode("two", ContentCoding::kGzip), kMax),
      "one two");
}

TEST(Gunzip, RefusesWhatIsNoneAndWhatIsMore) {
  const std::string good = Encode("some text", ContentCoding::kGzip);
  for (const std::string& bad :
       {std::string(), std::string("{}"), good.substr(0, good.size() - 1), good + "junk",
        good.substr(1), Encode("some text", ContentCoding::kDeflate)}) {
    const auto got = Gunzip(bad, kMax);
    ASSERT_FALSE(got.has_value());
    EXPECT_EQ(got.error().code, ErrorCode::kCorrupt);
    EXPECT_THAT(got.error().message, HasSubstr("expected a body in gzip"));
  }
}

TEST(Gunzip, StopsAtTheMostItMayMake) {
  const std::string packed = Encode(std::string(100'000, ' '), ContentCoding::kGzip);
  EXPECT_EQ(Gunzip(packed, 99'999).error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(Gunzip(packed, 100'000).value().size(), 100'000U);
}

}  // namespace
}  // namespace kelvin::tables
