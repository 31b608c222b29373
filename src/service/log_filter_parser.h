#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "service/log_condition.h"
#include "service/log_filter.h"

namespace kelvin::service {

// Reads a filter pattern by recursive descent; throws Error, which LogFilter::Parse turns into its
// result.
class LogFilterParser {
 public:
  explicit LogFilterParser(std::string_view text) : text_(text) {}

  LogFilter Parse();

 private:
  enum class Subject { kJson, kWord };

  void SkipSpace();
  bool Take(std::string_view token);
  void Expect(std::string_view token);
  bool TakeWord(std::string_view word);
  template <typename Allowed>
  std::string TakeWhile(Allowed allowed);
  // Behind the opening quote.
  std::string TakeQuoted();
  void ParseTerm(LogFilter& filter);
  // Behind the opening '%'.
  std::shared_ptr<const LogExpression> TakeExpression();
  void ParseWords(LogFilter& filter);
  LogCondition ParseField();
  LogCondition ParseOr(Subject subject, std::string_view name);
  LogCondition ParseAnd(Subject subject, std::string_view name);
  LogCondition ParsePrimary(Subject subject, std::string_view name);
  void ParsePath(LogCondition& leaf);
  LogCondition::Step ParseMember();
  LogCondition::Step ParseBrackets();
  bool ParseIs(LogCondition& leaf);
  void ParseComparison(LogComparison& comparison);

  std::string_view text_;
  int depth_ = 0;
  int expressions_ = 0;
  int wildcards_ = 0;
};

}  // namespace kelvin::service
