#include "service/log_filter_parser.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>

namespace kelvin::service {
namespace {

constexpr int kDeepest = 32;
constexpr int kMostExpressions = 2;
constexpr int kMostWildcards = 3;

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool IsWordCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

Error Invalid(std::string message = "Invalid filter pattern") {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}

}  // namespace

LogFilter LogFilterParser::Parse() {
  SkipSpace();
  LogFilter filter;
  if (Take("{")) {
    filter.kind_ = LogFilter::Kind::kJson;
    filter.json_ = std::make_shared<const LogCondition>(ParseOr(Subject::kJson, {}));
    Expect("}");
  } else if (Take("[")) {
    filter.kind_ = LogFilter::Kind::kWords;
    ParseWords(filter);
  } else if (Take("%")) {
    filter.kind_ = LogFilter::Kind::kExpression;
    filter.expression_ = TakeExpression();
  } else {
    while (!text_.empty()) {
      ParseTerm(filter);
      SkipSpace();
    }
    // As CloudWatch: terms that must be there make those that may be there pointless.
    if (!filter.all_.empty()) filter.any_.clear();
  }
  SkipSpace();
  if (!text_.empty()) throw Invalid();
  return filter;
}

void LogFilterParser::SkipSpace() {
  while (!text_.empty() && IsSpace(text_.front())) text_.remove_prefix(1);
}

bool LogFilterParser::Take(std::string_view token) {
  SkipSpace();
  if (!text_.starts_with(token)) return false;
  text_.remove_prefix(token.size());
  return true;
}

void LogFilterParser::Expect(std::string_view token) {
  if (!Take(token)) throw Invalid();
}

bool LogFilterParser::TakeWord(std::string_view word) {
  SkipSpace();
  if (!text_.starts_with(word)) return false;
  if (text_.size() > word.size() && IsWordCharacter(text_[word.size()])) return false;
  text_.remove_prefix(word.size());
  return true;
}

template <typename Allowed>
std::string LogFilterParser::TakeWhile(Allowed allowed) {
  std::size_t end = 0;
  while (end < text_.size() && allowed(text_[end])) ++end;
  std::string taken(text_.substr(0, end));
  text_.remove_prefix(end);
  return taken;
}

std::string LogFilterParser::TakeQuoted() {
  std::string value;
  while (!text_.empty() && text_.front() != '"') {
    if (text_.front() == '\\' && text_.size() > 1 && (text_[1] == '"' || text_[1] == '\\')) {
      text_.remove_prefix(1);
    }
    value.push_back(text_.front());
    text_.remove_prefix(1);
  }
  Expect("\"");
  return value;
}

void LogFilterParser::ParseTerm(LogFilter& filter) {
  auto* into = &filter.all_;
  if (text_.front() == '?') into = &filter.any_;
  if (text_.front() == '-') into = &filter.none_;
  if (into != &filter.all_) text_.remove_prefix(1);
  if (text_.starts_with('"')) {
    text_.remove_prefix(1);
    into->push_back(TakeQuoted());
    return;
  }
  const std::string term = TakeWhile([](char c) { return !IsSpace(c) && c != '"'; });
  if (term.empty()) throw Invalid();
  if (!std::ranges::all_of(term, IsWordCharacter)) {
    throw Invalid(fmt::format("Invalid character(s) in term '{}'", term));
  }
  into->push_back(term);
}

std::shared_ptr<const LogExpression> LogFilterParser::TakeExpression() {
  if (++expressions_ > kMostExpressions) throw Invalid();
  std::size_t end = 0;
  while (end < text_.size() && text_[end] != '%') end += text_[end] == '\\' ? 2 : 1;
  if (end >= text_.size()) throw Invalid();
  auto expression = LogExpression::Parse(text_.substr(0, end));
  if (!expression) throw std::move(expression.error());
  text_.remove_prefix(end + 1);
  return std::make_shared<const LogExpression>(std::move(*expression));
}

void LogFilterParser::ParseWords(LogFilter& filter) {
  bool has_rest = false;
  do {
    LogFilter::Field field;
    if (Take("...")) {
      if (std::exchange(has_rest, true)) throw Invalid();
      field.rest = true;
    } else {
      field.condition = std::make_shared<const LogCondition>(ParseField());
    }
    filter.words_.push_back(std::move(field));
  } while (Take(","));
  Expect("]");
}

LogCondition LogFilterParser::ParseField() {
  SkipSpace();
  const std::string_view before = text_;
  const bool grouped = Take("(");
  SkipSpace();
  const std::string name = TakeWhile(IsWordCharacter);
  SkipSpace();
  if (!grouped && (text_.starts_with(',') || text_.starts_with(']'))) return {};
  text_ = before;
  return ParseOr(Subject::kWord, name);
}

LogCondition LogFilterParser::ParseOr(Subject subject, std::string_view name) {
  LogCondition first = ParseAnd(subject, name);
  if (!Take("||")) return first;
  LogCondition either;
  either.kind = LogCondition::Kind::kOr;
  either.parts.push_back(std::move(first));
  do {
    either.parts.push_back(ParseAnd(subject, name));
  } while (Take("||"));
  return either;
}

LogCondition LogFilterParser::ParseAnd(Subject subject, std::string_view name) {
  LogCondition first = ParsePrimary(subject, name);
  if (!Take("&&")) return first;
  LogCondition both;
  both.kind = LogCondition::Kind::kAnd;
  both.parts.push_back(std::move(first));
  do {
    both.parts.push_back(ParsePrimary(subject, name));
  } while (Take("&&"));
  return both;
}

LogCondition LogFilterParser::ParsePrimary(Subject subject, std::string_view name) {
  if (Take("(")) {
    if (++depth_ > kDeepest) throw Invalid();
    LogCondition inner = ParseOr(subject, name);
    --depth_;
    Expect(")");
    return inner;
  }
  LogCondition leaf;
  leaf.kind = LogCondition::Kind::kCompare;
  SkipSpace();
  if (subject == Subject::kJson) {
    ParsePath(leaf);
    if (ParseIs(leaf)) return leaf;
  } else if (TakeWhile(IsWordCharacter) != name || name.empty()) {
    throw Invalid();
  }
  ParseComparison(leaf.comparison);
  return leaf;
}

void LogFilterParser::ParsePath(LogCondition& leaf) {
  Expect("$");
  const int wildcards = wildcards_;
  while (text_.starts_with('[') || text_.starts_with('.')) {
    // Brackets may have a dot before them.
    if (text_.starts_with(".[")) text_.remove_prefix(1);
    const char kind = text_.front();
    text_.remove_prefix(1);
    leaf.path.push_back(kind == '[' ? ParseBrackets() : ParseMember());
  }
  if (leaf.path.empty() || wildcards_ > wildcards + 1 || wildcards_ > kMostWildcards) {
    throw Invalid();
  }
}

LogCondition::Step LogFilterParser::ParseMember() {
  if (Take("*")) {
    ++wildcards_;
    return LogCondition::Every{};
  }
  std::string member = TakeWhile(
      [](char c) { return IsWordCharacter(c) || c == '-' || c == '@' || c == ':' || c == '/'; });
  if (member.empty()) throw Invalid();
  return member;
}

LogCondition::Step LogFilterParser::ParseBrackets() {
  LogCondition::Step step;
  if (text_.starts_with('"') || text_.starts_with('\'')) {
    const char quote = text_.front();
    text_.remove_prefix(1);
    step = TakeWhile([&](char c) { return c != quote; });
    Expect(std::string_view(&quote, 1));
  } else if (Take("*")) {
    ++wildcards_;
    step = LogCondition::Every{};
  } else {
    const std::string digits = TakeWhile([](char c) { return c >= '0' && c <= '9'; });
    if (digits.empty() || digits.size() > 9) throw Invalid();
    step = static_cast<std::size_t>(std::stoul(digits));
  }
  Expect("]");
  return step;
}

bool LogFilterParser::ParseIs(LogCondition& leaf) {
  if (TakeWord("NOT")) {
    if (!TakeWord("EXISTS")) throw Invalid();
    leaf.is = LogCondition::Is::kMissing;
  } else if (TakeWord("IS")) {
    leaf.is = TakeWord("TRUE")    ? LogCondition::Is::kTrue
              : TakeWord("FALSE") ? LogCondition::Is::kFalse
                                  : LogCondition::Is::kNull;
    if (leaf.is == LogCondition::Is::kNull && !TakeWord("NULL")) throw Invalid();
  } else {
    return false;
  }
  leaf.kind = LogCondition::Kind::kIs;
  return true;
}

void LogFilterParser::ParseComparison(LogComparison& comparison) {
  if (Take("!=")) {
    comparison.test = LogComparison::Test::kUnequal;
  } else if (Take("<=")) {
    comparison.test = LogComparison::Test::kLessOrEqual;
  } else if (Take(">=")) {
    comparison.test = LogComparison::Test::kGreaterOrEqual;
  } else if (Take("<")) {
    comparison.test = LogComparison::Test::kLess;
  } else if (Take(">")) {
    comparison.test = LogComparison::Test::kGreater;
  } else {
    Expect("=");
  }
  SkipSpace();
  if (Take("\"")) {
    comparison.text = TakeQuoted();
  } else if (Take("%")) {
    comparison.expression = TakeExpression();
  } else {
    comparison.text = TakeWhile([](char c) {
      return !IsSpace(c) && std::string_view("\"(){}[],&|=<>").find(c) == std::string_view::npos;
    });
    comparison.number = NumberIn(comparison.text);
    if (comparison.text.empty()) throw Invalid();
  }
  const bool orders = comparison.test != LogComparison::Test::kEqual &&
                      comparison.test != LogComparison::Test::kUnequal;
  if (orders && !comparison.number) throw Invalid();
}

}  // namespace kelvin::service
