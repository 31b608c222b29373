#include "tables/number.h"

#include <random>
#include <string>
#include <vector>

#include <boost/multiprecision/cpp_int.hpp>
#include <gtest/gtest.h>

namespace kelvin::tables {
namespace {

using boost::multiprecision::cpp_int;

std::string Normalised(std::string_view text) {
  const auto number = Number::Parse(text);
  return number ? number->ToString() : "refused";
}

TEST(Number, HasOneFormForOneValue) {
  EXPECT_EQ(Normalised("+3"), "3");
  EXPECT_EQ(Normalised("007"), "7");
  EXPECT_EQ(Normalised("1e3"), "1000");
  EXPECT_EQ(Normalised("-0"), "0");
  EXPECT_EQ(Normalised("0e999999"), "0");
  EXPECT_EQ(Normalised("1.10"), "1.1");
  EXPECT_EQ(Normalised("-.5"), "-0.5");
  EXPECT_EQ(Normalised("5."), "5");
  EXPECT_EQ(Normalised("120E-1"), "12");
  EXPECT_EQ(Normalised("0.00012"), "0.00012");
  EXPECT_EQ(Normalised("12345678901234567890123456789012345678"),
            "12345678901234567890123456789012345678");
  EXPECT_EQ(Normalised("1e125"), "1" + std::string(125, '0'));
  EXPECT_EQ(Normalised("1e-130"), "0." + std::string(129, '0') + "1");
}

TEST(Number, RefusesWhatIsNone) {
  for (const char* text : {"", "+", "-", ".", "e5", "1e", "1e+", "1.2.3", "0x10", "NaN", "Infinity",
                           " 1", "1 ", "1,000", "--1", "1e5.5"}) {
    EXPECT_EQ(Number::Parse(text).error(), NumberError::kNotANumber) << text;
  }
}

TEST(Number, KeepsItsRange) {
  EXPECT_EQ(Number::Parse("1e126").error(), NumberError::kOverflow);
  EXPECT_EQ(Number::Parse("1e99999999999999999999").error(), NumberError::kOverflow);
  EXPECT_EQ(Number::Parse("-1e-131").error(), NumberError::kUnderflow);
  EXPECT_EQ(Number::Parse("123456789012345678901234567890123456789").error(),
            NumberError::kTooManyDigits);
  EXPECT_TRUE(Number::Parse("9.9999999999999999999999999999999999999e125").has_value());
}

TEST(Number, AddsExactlyOrNotAtAll) {
  const auto sum = [](std::string_view a, std::string_view b) {
    const auto result = Number::Add(*Number::Parse(a), *Number::Parse(b));
    return result ? result->ToString() : "refused";
  };
  EXPECT_EQ(sum("0.1", "0.2"), "0.3");
  EXPECT_EQ(sum("-5", "5"), "0");
  EXPECT_EQ(sum("999", "1"), "1000");
  EXPECT_EQ(sum("1000", "-1"), "999");
  EXPECT_EQ(sum("9e125", "9e124"), "99" + std::string(124, '0'));
  EXPECT_EQ(Number::Add(*Number::Parse("9e125"), *Number::Parse("9e125")).error(),
            NumberError::kOverflow);
  EXPECT_EQ(Number::Add(*Number::Parse("1e50"), *Number::Parse("1")).error(),
            NumberError::kTooManyDigits);
}

// An independent model: the value times 10^170 as a big integer.
cpp_int Scaled(std::string_view plain) {
  constexpr std::size_t kPlaces = 170;
  const bool negative = plain.starts_with('-');
  if (negative) plain.remove_prefix(1);
  const std::size_t point = std::min(plain.find('.'), plain.size());
  std::string digits(plain.substr(0, point));
  const std::string fraction(point < plain.size() ? plain.substr(point + 1) : "");
  digits += fraction + std::string(kPlaces - fraction.size(), '0');
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
  const cpp_int value(digits);
  return negative ? cpp_int(-value) : value;
}

std::string RandomText(std::mt19937_64& random) {
  std::string text = random() % 2 == 0 ? "" : "-";
  const std::size_t digits = 1 + random() % 38;
  for (std::size_t i = 0; i < digits; ++i) {
    text += static_cast<char>('0' + (random() % 3 == 0 ? 0 : random() % 10));
  }
  const bool small = random() % 2 == 0;
  const int exponent =
      small ? static_cast<int>(random() % 8) - 4 : static_cast<int>(random() % 216) - 128;
  return text + "e" + std::to_string(exponent);
}

TEST(Number, OrdersAndAddsAsExactDecimalsDo) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::vector<Number> numbers;
  while (numbers.size() < 600) {
    if (const auto number = Number::Parse(RandomText(random))) numbers.push_back(*number);
  }
  for (std::size_t i = 1; i < numbers.size(); ++i) {
    const Number& a = numbers[i - 1];
    const Number& b = numbers[i];
    const cpp_int exact_a = Scaled(a.ToString());
    const cpp_int exact_b = Scaled(b.ToString());
    std::string key_a;
    std::string key_b;
    a.AppendKeyTo(key_a);
    b.AppendKeyTo(key_b);
    const int expected = exact_a.compare(exact_b);
    const int by_key = key_a.compare(key_b);
    EXPECT_EQ(expected < 0, by_key < 0) << a.ToString() << " and " << b.ToString();
    EXPECT_EQ(expected > 0, a > b) << a.ToString() << " and " << b.ToString();
    EXPECT_EQ(key_a.size(), a.KeySize());
    EXPECT_EQ(Number::FromKey(key_a), a) << a.ToString();
    if (const auto sum = Number::Add(a, b)) {
      EXPECT_EQ(Scaled(sum->ToString()), exact_a + exact_b)
          << a.ToString() << " + " << b.ToString();
    }
    if (const auto difference = Number::Subtract(a, b)) {
      EXPECT_EQ(Scaled(difference->ToString()), exact_a - exact_b);
    }
  }
}

TEST(Number, ReadsNoKeyThatItDidNotWrite) {
  EXPECT_FALSE(Number::FromKey("").has_value());
  EXPECT_FALSE(Number::FromKey("\x01").has_value());
  EXPECT_FALSE(Number::FromKey(std::string("\xc1\x00", 2)).has_value());
  EXPECT_FALSE(Number::FromKey("\xc1\xff").has_value());
  EXPECT_FALSE(Number::FromKey("\x3e\x64").has_value());  // a negative one without its end
}

}  // namespace
}  // namespace kelvin::tables
