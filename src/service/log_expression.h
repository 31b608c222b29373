#pragma once

#include <bitset>
#include <cstdint>
#include <expected>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace kelvin::service {

// The regular expressions of CloudWatch's filter patterns, between two '%': letters, digits,
// : _ # = @ / ; , - and spaces; . ^ $ | [] ? * + {m,n}; \d \w \s \D \W \S \xhh, and a backslash
// before any other sign. No groups. Looking one up takes time in proportion to the text and to the
// expression, whatever they are, and a fixed amount of memory. A value; Matches is safe from
// several threads.
class LogExpression {
 public:
  // Fails with kInvalidArgument.
  static std::expected<LogExpression, Error> Parse(std::string_view text);

  // Whether it is anywhere in `text`, which is UTF-8; bytes that are not stand for themselves.
  bool Matches(std::string_view text) const;

 private:
  // ASCII, and one more for all that is not.
  static constexpr std::size_t kOther = 128;
  using Set = std::bitset<kOther + 1>;
  struct Step {
    enum class Kind : std::uint8_t { kCharacter, kBegin, kEnd, kMatch };
    Kind kind = Kind::kMatch;
    bool optional = false;  // kCharacter
    bool repeats = false;   // kCharacter: any number more may follow
    Set set = {};           // kCharacter
  };
  // Those that a text read so far may be at, in no order.
  class Places;

  friend class LogExpressionParser;
  bool Enter(std::size_t step, bool at_begin, bool at_end, Places& places) const;

  std::vector<Step> steps_;          // the alternatives, one after another, each with its kMatch
  std::vector<std::size_t> starts_;  // of the alternatives
  Set first_;                        // what a match that is not empty may begin with
};

}  // namespace kelvin::service
