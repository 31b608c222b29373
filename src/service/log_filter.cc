#include "service/log_filter.h"

#include <algorithm>
#include <utility>

#include <boost/json.hpp>

#include "service/log_condition.h"
#include "service/log_filter_parser.h"

namespace kelvin::service {

namespace json = boost::json;

namespace {

constexpr std::size_t kLongestPattern = 1024;

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// The words of an event: what quotes or brackets enclose is one.
std::vector<std::string_view> WordsIn(std::string_view text) {
  std::vector<std::string_view> words;
  std::size_t at = 0;
  while (at < text.size()) {
    if (IsSpace(text[at])) {
      ++at;
      continue;
    }
    const char close = text[at] == '"' ? '"' : text[at] == '[' ? ']' : '\0';
    const std::size_t end = close == '\0' ? text.npos : text.find(close, at + 1);
    if (end != text.npos) {
      words.push_back(text.substr(at + 1, end - at - 1));
      at = end + 1;
      continue;
    }
    const std::size_t begin = at;
    while (at < text.size() && !IsSpace(text[at])) ++at;
    words.push_back(text.substr(begin, at - begin));
  }
  return words;
}

}  // namespace

std::expected<LogFilter, Error> LogFilter::Parse(std::string_view pattern) {
  if (pattern.size() > kLongestPattern) {
    return std::unexpected(Error{ErrorCode::kInvalidArgument,
                                 "1 validation error detected: Value at 'filterPattern' failed "
                                 "to satisfy constraint: Member must have length less than or "
                                 "equal to 1024"});
  }
  try {
    return LogFilterParser(pattern).Parse();
  } catch (Error& error) {
    return std::unexpected(std::move(error));
  }
}

bool LogFilter::Matches(std::string_view message) const {
  switch (kind_) {
    case Kind::kExpression:
      return expression_->Matches(message);
    case Kind::kJson:
      return MatchesJson(message);
    case Kind::kWords:
      return MatchesWords(message);
    default:
      return MatchesTerms(message);
  }
}

bool LogFilter::MatchesTerms(std::string_view message) const {
  const auto is_in = [&](const std::string& term) { return message.contains(term); };
  return std::ranges::all_of(all_, is_in) && std::ranges::none_of(none_, is_in) &&
         (any_.empty() || std::ranges::any_of(any_, is_in));
}

bool LogFilter::MatchesJson(std::string_view message) const {
  const std::size_t begin = message.find_first_not_of(" \t\r\n");
  if (begin == message.npos || message[begin] != '{') return false;
  boost::system::error_code error;
  const json::value event = json::parse(message, error);
  return !error && json_->Holds(event);
}

bool LogFilter::MatchesWords(std::string_view message) const {
  const std::vector<std::string_view> words = WordsIn(message);
  const auto rest = std::ranges::find(words_, true, &Field::rest);
  const bool any_number = rest != words_.end();
  const std::size_t needed = words_.size() - (any_number ? 1 : 0);
  if (words.size() < needed || (!any_number && words.size() != needed)) return false;
  const auto before = static_cast<std::size_t>(rest - words_.begin());
  for (std::size_t i = 0; i < words_.size(); ++i) {
    if (words_[i].rest) continue;
    const std::size_t from_end = words_.size() - i;
    const std::size_t word = i < before ? i : words.size() - from_end;
    if (!words_[i].condition->Holds(words[word])) return false;
  }
  return true;
}

}  // namespace kelvin::service
