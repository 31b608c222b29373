#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <boost/json/value.hpp>

#include "service/log_expression.h"

namespace kelvin::service {

// The number that a text is, all of it.
std::optional<double> NumberIn(std::string_view text);

// A value of an event against one of a pattern: as numbers if both are, else as texts, in which '*'
// of the pattern stands for any text; or against a regular expression.
struct LogComparison {
  enum class Test { kEqual, kUnequal, kLess, kLessOrEqual, kGreater, kGreaterOrEqual };

  Test test = Test::kEqual;
  std::string text;
  std::optional<double> number;
  std::shared_ptr<const LogExpression> expression;  // with kEqual and kUnequal

  bool Holds(std::string_view value_text, std::optional<double> value) const;
};

// What a pattern asks of a JSON event, or of one word of an event.
class LogCondition {
 public:
  struct Every {};                                             // member or place
  using Step = std::variant<std::string, std::size_t, Every>;  // a member, or a place in an array
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
  // For a value that the path from `step` on leads to.
  bool HoldsFrom(const boost::json::value& at, std::size_t step) const;
  bool HoldsForValue(const boost::json::value& value) const;
};

}  // namespace kelvin::service
