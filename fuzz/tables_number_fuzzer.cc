// Two numbers split by a space: each has one form, and their order is that of their keys.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "tables/number.h"

namespace {

using kelvin::tables::Number;

void Require(bool holds) {
  if (!holds) std::abort();
}

std::string KeyOf(const Number& number) {
  std::string key;
  number.AppendKeyTo(key);
  return key;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)Number::FromKey(text);
  const std::size_t space = text.find(' ');
  const auto a = Number::Parse(text.substr(0, space));
  if (!a) return 0;
  Require(Number::Parse(a->ToString()) == *a);
  Require(Number::FromKey(KeyOf(*a)) == *a);
  Require(KeyOf(*a).size() == a->KeySize());
  if (space == std::string_view::npos) return 0;
  const auto b = Number::Parse(text.substr(space + 1));
  if (!b) return 0;
  Require((*a < *b) == (KeyOf(*a) < KeyOf(*b)));
  const auto sum = Number::Add(*a, *b);
  Require(sum == Number::Add(*b, *a));
  if (sum) {
    const auto back = Number::Subtract(*sum, *b);
    Require(!back || *back == *a);
  }
  return 0;
}
