#include "service/log_condition.h"

#include <algorithm>
#include <charconv>

#include <boost/json.hpp>

namespace kelvin::service {

namespace json = boost::json;

namespace {

// '*' stands for any text.
bool MatchesWildcard(std::string_view pattern, std::string_view text) {
  std::size_t star = std::string_view::npos;
  std::size_t retry = 0;
  std::size_t p = 0;
  std::size_t t = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++retry;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace

std::optional<double> NumberIn(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool LogComparison::Holds(std::string_view value_text, std::optional<double> value) const {
  if (test == Test::kEqual || test == Test::kUnequal) {
    const bool equal = expression        ? expression->Matches(value_text)
                       : number && value ? *number == *value
                                         : MatchesWildcard(text, value_text);
    return equal == (test == Test::kEqual);
  }
  if (!number || !value) return false;
  switch (test) {
    case Test::kLess:
      return *value < *number;
    case Test::kLessOrEqual:
      return *value <= *number;
    case Test::kGreater:
      return *value > *number;
    default:
      return *value >= *number;
  }
}

template <typename Leaf>
bool LogCondition::HoldsBy(const Leaf& leaf) const {
  const auto holds = [&](const LogCondition& part) { return part.HoldsBy(leaf); };
  switch (kind) {
    case Kind::kAny:
      return true;
    case Kind::kAnd:
      return std::ranges::all_of(parts, holds);
    case Kind::kOr:
      return std::ranges::any_of(parts, holds);
    default:
      return leaf(*this);
  }
}

bool LogCondition::Holds(const json::value& event) const {
  return HoldsBy([&](const LogCondition& leaf) {
    const bool asks_whether_missing = leaf.kind == Kind::kIs && leaf.is == Is::kMissing;
    return leaf.HoldsFrom(event, 0) != asks_whether_missing;
  });
}

bool LogCondition::Holds(std::string_view word) const {
  return HoldsBy(
      [&](const LogCondition& leaf) { return leaf.comparison.Holds(word, NumberIn(word)); });
}

bool LogCondition::HoldsFrom(const json::value& at, std::size_t step) const {
  if (step == path.size()) return HoldsForValue(at);
  const auto holds = [&](const json::value& next) { return HoldsFrom(next, step + 1); };
  if (const auto* name = std::get_if<std::string>(&path[step])) {
    const json::value* next = at.is_object() ? at.get_object().if_contains(*name) : nullptr;
    return next != nullptr && holds(*next);
  }
  if (const auto* place = std::get_if<std::size_t>(&path[step])) {
    const json::value* next = at.is_array() ? at.get_array().if_contains(*place) : nullptr;
    return next != nullptr && holds(*next);
  }
  if (at.is_array()) return std::ranges::any_of(at.get_array(), holds);
  if (!at.is_object()) return false;
  return std::ranges::any_of(at.get_object(),
                             [&](const auto& member) { return holds(member.value()); });
}

bool LogCondition::HoldsForValue(const json::value& value) const {
  if (kind == Kind::kIs) {
    if (is == Is::kMissing) return true;
    if (is == Is::kNull) return value.is_null();
    return value.is_bool() && value.get_bool() == (is == Is::kTrue);
  }
  if (value.is_structured()) return false;
  if (value.is_string()) {
    return comparison.Holds({value.get_string().data(), value.get_string().size()}, std::nullopt);
  }
  std::optional<double> number;
  if (value.is_number()) number = value.to_number<double>();
  return comparison.Holds(json::serialize(value), number);
}

}  // namespace kelvin::service
