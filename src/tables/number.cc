#include "tables/number.h"

#include <algorithm>
#include <vector>

namespace kelvin::tables {
namespace {

// Key layout: one byte with sign and base-100 exponent, then base-100 digits. Positive digits are
// stored plus 1; negative ones as 101 minus the digit, with a final byte above all of them, so that
// of two numbers with a common beginning the longer one is the smaller.
constexpr int kExponentBias = 64;
constexpr std::uint8_t kZeroKey = 0x80;
constexpr std::uint8_t kNegativeEnd = 102;
constexpr int kMaxPairs = 20;

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// The base-100 exponent of the first pair: value = 0.p1p2... x 100^n.
int PairExponent(int exponent) {
  const int tens = exponent + 1;
  return tens % 2 == 0 ? tens / 2 : (tens + 1) / 2;
}

// Exponents beyond this are out of range whatever the digits before them (a body has at most
// 16 MB of those); stopping there keeps the sum from wrapping.
constexpr std::int64_t kExponentStop = 1'000'000'000;

struct Parts {
  bool negative = false;
  std::string_view whole;
  std::string_view fraction;
  std::int64_t exponent = 0;
};

std::string_view TakeDigits(std::string_view& text) {
  const auto end = std::ranges::find_if_not(text, IsDigit);
  const auto digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(digits.size());
  return digits;
}

bool TakeSign(std::string_view& text) {
  if (text.empty() || (text[0] != '-' && text[0] != '+')) return false;
  const bool negative = text[0] == '-';
  text.remove_prefix(1);
  return negative;
}

std::optional<Parts> Split(std::string_view text) {
  Parts parts;
  parts.negative = TakeSign(text);
  parts.whole = TakeDigits(text);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    parts.fraction = TakeDigits(text);
  }
  if (parts.whole.empty() && parts.fraction.empty()) return std::nullopt;
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    const bool negative = TakeSign(text);
    const std::string_view digits = TakeDigits(text);
    if (digits.empty()) return std::nullopt;
    for (const char c : digits) {
      parts.exponent = std::min(parts.exponent * 10 + (c - '0'), kExponentStop);
    }
    if (negative) parts.exponent = -parts.exponent;
  }
  if (!text.empty()) return std::nullopt;
  return parts;
}

}  // namespace

Number::Number(std::int64_t value) {
  *this = *Parse(std::to_string(value));
}

std::expected<Number, NumberError> Number::Parse(std::string_view text) {
  const auto parts = Split(text);
  if (!parts) return std::unexpected(NumberError::kNotANumber);
  if (parts->fraction.empty()) {
    return FromDigits(parts->negative, parts->whole,
                      parts->exponent + static_cast<std::int64_t>(parts->whole.size()) - 1);
  }
  std::string digits;
  digits.reserve(parts->whole.size() + parts->fraction.size());
  digits.append(parts->whole).append(parts->fraction);
  return FromDigits(parts->negative, digits,
                    parts->exponent + static_cast<std::int64_t>(parts->whole.size()) - 1);
}

// `exponent` is that of the first of `digits`, whether it is a zero or not.
std::expected<Number, NumberError> Number::FromDigits(bool negative, std::string_view digits,
                                                      std::int64_t exponent) {
  const std::size_t first = digits.find_first_not_of('0');
  if (first == std::string_view::npos) return Number{};
  digits = digits.substr(first, digits.find_last_not_of('0') - first + 1);
  exponent -= static_cast<std::int64_t>(first);
  if (exponent > kMaxExponent) return std::unexpected(NumberError::kOverflow);
  if (exponent < kMinExponent) return std::unexpected(NumberError::kUnderflow);
  if (digits.size() > kMaxDigits) return std::unexpected(NumberError::kTooManyDigits);
  Number number;
  number.negative_ = negative;
  number.exponent_ = static_cast<std::int16_t>(exponent);
  number.count_ = static_cast<std::uint8_t>(digits.size());
  std::ranges::transform(digits, number.digits_.begin(),
                         [](char c) { return static_cast<std::uint8_t>(c - '0'); });
  return number;
}

std::string Number::ToString() const {
  std::string out;
  AppendTo(out);
  return out;
}

void Number::AppendTo(std::string& out) const {
  if (is_zero()) {
    out += '0';
    return;
  }
  if (negative_) out += '-';
  if (exponent_ < 0) {
    out += "0.";
    out.append(static_cast<std::size_t>(-exponent_ - 1), '0');
  }
  for (int i = 0; i < count_; ++i) {
    if (exponent_ >= 0 && i == exponent_ + 1) out += '.';
    out += static_cast<char>('0' + digits_[static_cast<std::size_t>(i)]);
  }
  if (exponent_ >= count_) out.append(static_cast<std::size_t>(exponent_ - count_ + 1), '0');
}

std::strong_ordering Number::CompareMagnitude(const Number& a, const Number& b) {
  if (a.is_zero() || b.is_zero()) return a.count_ <=> b.count_;
  if (a.exponent_ != b.exponent_) return a.exponent_ <=> b.exponent_;
  return a.digits_ <=> b.digits_;  // unused digits are zero, so this is exact
}

std::strong_ordering Number::operator<=>(const Number& other) const {
  if (negative_ != other.negative_) {
    return negative_ ? std::strong_ordering::less : std::strong_ordering::greater;
  }
  return negative_ ? CompareMagnitude(other, *this) : CompareMagnitude(*this, other);
}

Number Number::Negated() const {
  Number result = *this;
  if (!result.is_zero()) result.negative_ = !result.negative_;
  return result;
}

std::expected<Number, NumberError> Number::Subtract(const Number& a, const Number& b) {
  return Add(a, b.Negated());
}

std::expected<Number, NumberError> Number::Add(const Number& a, const Number& b) {
  if (a.is_zero()) return b;
  if (b.is_zero()) return a;
  const bool a_is_larger = CompareMagnitude(a, b) >= 0;
  const Number& large = a_is_larger ? a : b;
  const Number& small = a_is_larger ? b : a;
  // Schoolbook over the span of decimal places that either touches, with one more for the carry:
  // at most 127 + 168 places.
  const int top = large.exponent_ + 1;
  const int bottom = std::min(large.exponent_ - large.count_, small.exponent_ - small.count_) + 1;
  std::string sum(static_cast<std::size_t>(top - bottom + 1), '0');
  const int sign = large.negative_ == small.negative_ ? 1 : -1;
  const auto digit_at = [](const Number& number, int place) {
    const int index = number.exponent_ - place;
    return index >= 0 && index < number.count_ ? number.digits_[static_cast<std::size_t>(index)]
                                               : 0;
  };
  int carry = 0;
  for (int place = bottom; place <= top; ++place) {
    int digit = digit_at(large, place) + sign * digit_at(small, place) + carry;
    carry = digit < 0 ? -1 : digit / 10;
    digit = (digit + 10) % 10;
    sum[static_cast<std::size_t>(top - place)] = static_cast<char>('0' + digit);
  }
  return FromDigits(large.negative_, sum, top);
}

int Number::PairCount() const {
  const int lead = (exponent_ + 1) % 2 == 0 ? 0 : 1;
  return (count_ + lead + 1) / 2;
}

std::size_t Number::KeySize() const {
  if (is_zero()) return 1;
  const int pairs = PairCount();
  return static_cast<std::size_t>(1 + pairs + (negative_ && pairs < kMaxPairs ? 1 : 0));
}

void Number::AppendKeyTo(std::string& out) const {
  if (is_zero()) {
    out += static_cast<char>(kZeroKey);
    return;
  }
  const auto head =
      static_cast<std::uint8_t>(PairExponent(exponent_) + kExponentBias + int{kZeroKey});
  out += static_cast<char>(negative_ ? head ^ 0xff : head);
  const int lead = (exponent_ + 1) % 2 == 0 ? 0 : 1;
  const auto digit = [&](int index) {
    return index >= 0 && index < count_ ? int{digits_[static_cast<std::size_t>(index)]} : 0;
  };
  const int pairs = PairCount();
  for (int i = 0; i < pairs; ++i) {
    const int pair = digit(2 * i - lead) * 10 + digit(2 * i + 1 - lead);
    out += static_cast<char>(negative_ ? 101 - pair : pair + 1);
  }
  if (negative_ && pairs < kMaxPairs) out += static_cast<char>(kNegativeEnd);
}

std::optional<Number> Number::FromKey(std::string_view key) {
  if (key.empty() || key.size() > 1 + kMaxPairs) return std::nullopt;
  auto head = static_cast<std::uint8_t>(key[0]);
  if (key.size() == 1) return head == kZeroKey ? std::optional(Number{}) : std::nullopt;
  const bool negative = head < kZeroKey;
  if (negative) head ^= 0xff;
  key.remove_prefix(1);
  if (negative && static_cast<std::uint8_t>(key.back()) == kNegativeEnd) {
    key.remove_suffix(1);
  } else if (negative && key.size() != kMaxPairs) {
    return std::nullopt;
  }
  std::array<char, 2 * kMaxPairs> digits{};
  std::size_t count = 0;
  for (const char c : key) {
    const auto byte = static_cast<std::uint8_t>(c);
    const int pair = negative ? 101 - byte : byte - 1;
    if (pair < 0 || pair > 99) return std::nullopt;
    digits[count++] = static_cast<char>('0' + pair / 10);
    digits[count++] = static_cast<char>('0' + pair % 10);
  }
  const int exponent = 2 * (int{head} - kZeroKey - kExponentBias) - 1;
  const auto number = FromDigits(negative, {digits.data(), count}, exponent);
  if (!number) return std::nullopt;
  return *number;
}

}  // namespace kelvin::tables
