#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <boost/json/value.hpp>

namespace kelvin::service {

// The number that a text is, all of it.
std::optional<double> NumberIn(std::string_view text);

// A value of an event against one of a pattern: as numbers if both are, else as texts, in which '*'
// of the pattern stands for any text.
struct LogComparison {
  enum class Test { kEqual, kUnequal, kLess, kLessOrEqual, kGreater, kGreaterOrEqual };

  Test test = Test::kEqual;
  std::string text;
  std::optional<double> number;

  bool Holds(std::string_view value_text, std::optional<double> value) const;
};

// What a pattern asks of a JSON event, or of one word of an event.
class LogCondition {
 public:
  using Step = std::variant<std::string, std::size_t>;  // a member, or a place in an array
  enum class Kind { kAny, kAnd, kOr, kCompare, kIs };
  enum class Is { kTrue, kFalse, kNull, kMissing };

  Kind kind = Kind::kAny;
  std::vector<LogCondition> parts;  // of kAnd and kOr
  std::vector<Step> path;           // to the value that is tested
  LogComparison comparison;
  Is is = Is::kTrue;

  bool Holds(const boost::json::value& event) const;
  bool Holds(std::string_view word) const;

 private:
  template <typename Leaf>
  bool HoldsBy(const Leaf& leaf) const;
  bool HoldsForLeaf(const boost::json::value& event) const;
  const boost::json::value* Follow(const boost::json::value& event) const;
};

}  // namespace kelvin::service
