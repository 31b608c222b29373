#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace kelvin::tables {

// Why a text is no number of the protocol, or a sum none.
enum class NumberError {
  kNotANumber,
  kOverflow,       // magnitude of 10^126 or more
  kUnderflow,      // magnitude below 10^-130
  kTooManyDigits,  // more than 38 significant ones
};

// An exact decimal of up to 38 significant digits and magnitude 10^-130 to below 10^126, or zero.
// One value has one representation: 1.0, 1e0 and +01 are equal in every byte.
class Number {
 public:
  static constexpr int kMaxDigits = 38;
  static constexpr int kMaxExponent = 125;
  static constexpr int kMinExponent = -130;

  Number() = default;  // zero
  explicit Number(std::int64_t value);

  // Accepts what Java's BigDecimal does: a sign, digits with at most one point, an exponent.
  static std::expected<Number, NumberError> Parse(std::string_view text);

  // Plain decimal, never with an exponent: "-0.5", "1000".
  std::string ToString() const;
  void AppendTo(std::string& out) const;

  // Exact; a result that needs more than 38 digits fails.
  static std::expected<Number, NumberError> Add(const Number& a, const Number& b);
  static std::expected<Number, NumberError> Subtract(const Number& a, const Number& b);

  // Appends 1 to 22 bytes that sort by memcmp as the numbers do. Their count is also what the
  // protocol counts as the number's size.
  void AppendKeyTo(std::string& out) const;
  std::size_t KeySize() const;
  // Reads what AppendKeyTo wrote; nothing where the bytes are no such key.
  static std::optional<Number> FromKey(std::string_view key);

  bool is_zero() const { return count_ == 0; }
  std::strong_ordering operator<=>(const Number& other) const;
  bool operator==(const Number& other) const = default;

 private:
  static std::expected<Number, NumberError> FromDigits(bool negative, std::string_view digits,
                                                       std::int64_t exponent);
  static std::strong_ordering CompareMagnitude(const Number& a, const Number& b);
  int PairCount() const;
  Number Negated() const;

  // d[0].d[1]d[2]... x 10^exponent_, without leading or trailing zeros; unused digits are 0.
  std::array<std::uint8_t, kMaxDigits> digits_{};
  std::uint8_t count_ = 0;
  bool negative_ = false;
  std::int16_t exponent_ = 0;
};

}  // namespace kelvin::tables
