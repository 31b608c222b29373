#include "kelvin/uuid.h"

#include <boost/json/value.hpp>

#include "base/ids.h"

namespace kelvin {
namespace {

constexpr std::size_t kTextSize = 36;

constexpr bool IsDash(std::size_t i) {
  return i == 8 || i == 13 || i == 18 || i == 23;
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::unexpected<std::string> NoUuid(std::string_view text) {
  return std::unexpected("expected a UUID such as 2f1d5c1e-7c1b-4d8e-9a55-0c3f6f1f7e10, got '" +
                         std::string(text.substr(0, 64)) + "'");
}

}  // namespace

Uuid Uuid::Random() {
  SystemRandom random;
  const std::uint64_t high = random.Next();
  return FromRandomBits(high, random.Next());
}

std::expected<Uuid, std::string> Uuid::Parse(std::string_view text) {
  if (text.size() != kTextSize) return NoUuid(text);
  std::uint64_t words[2] = {0, 0};
  int digits = 0;
  for (std::size_t i = 0; i < kTextSize; ++i) {
    if (IsDash(i)) {
      if (text[i] != '-') return NoUuid(text);
      continue;
    }
    const int value = HexValue(text[i]);
    if (value < 0) return NoUuid(text);
    std::uint64_t& word = words[digits++ / 16];
    word = word << 4 | static_cast<std::uint64_t>(value);
  }
  return Uuid(words[0], words[1]);
}

std::string Uuid::ToString() const {
  constexpr std::string_view kHex = "0123456789abcdef";
  const std::uint64_t words[2] = {high_, low_};
  std::string text(kTextSize, '-');
  int digit = 0;
  for (std::size_t i = 0; i < kTextSize; ++i) {
    if (IsDash(i)) continue;
    text[i] = kHex[words[digit / 16] >> (60 - 4 * (digit % 16)) & 15];
    ++digit;
  }
  return text;
}

void tag_invoke(boost::json::value_from_tag, boost::json::value& json, const Uuid& uuid) {
  const std::string text = uuid.ToString();
  json = boost::json::string(text.data(), text.size(), json.storage());
}

}  // namespace kelvin
