#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace kelvin::service {

class LogCondition;
class LogExpression;

// CloudWatch's filter patterns, which say which log events somebody wants to see:
//   ERROR "not found" -DEBUG     all of the terms, and none of those with a minus
//   ?ERROR ?WARN                 any of the terms
//   { $.level = "ERROR" && $.ms > 5 }   what JSON events must hold
//   [ip, ..., status = 5*, ms]   what words must be, of events of words
//   %[Ee]rror|[Ff]ail%           a regular expression (LogExpression); values may be one, too
// Terms count wherever they stand, also within words, and case matters. A value as it is copied;
// matching is safe from several threads.
class LogFilter {
 public:
  // An empty pattern matches everything. Fails with kInvalidArgument, in CloudWatch's words.
  static std::expected<LogFilter, Error> Parse(std::string_view pattern);

  bool Matches(std::string_view message) const;

 private:
  struct Field {
    bool rest = false;  // "...": any number of words
    std::shared_ptr<const LogCondition> condition;
  };
  enum class Kind { kTerms, kExpression, kJson, kWords };

  Kind kind_ = Kind::kTerms;
  std::vector<std::string> all_;
  std::vector<std::string> any_;
  std::vector<std::string> none_;
  std::shared_ptr<const LogExpression> expression_;
  std::shared_ptr<const LogCondition> json_;
  std::vector<Field> words_;

  friend class LogFilterParser;
  bool MatchesTerms(std::string_view message) const;
  bool MatchesJson(std::string_view message) const;
  bool MatchesWords(std::string_view message) const;
};

}  // namespace kelvin::service
