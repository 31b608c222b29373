#include "service/log_filter.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <variant>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace kelvin::service {

namespace json = boost::json;

namespace {

constexpr std::size_t kLongestPattern = 1024;
constexpr int kDeepest = 32;

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

std::optional<double> NumberIn(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

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

enum class Test { kEqual, kUnequal, kLess, kLessOrEqual, kGreater, kGreaterOrEqual };
enum class Is { kTrue, kFalse, kNull, kMissing };

struct Comparison {
  Test test = Test::kEqual;
  std::string text;
  std::optional<double> number;

  bool Holds(std::string_view value_text, std::optional<double> value) const {
    if (test == Test::kEqual || test == Test::kUnequal) {
      const bool equal = number && value ? *number == *value : MatchesWildcard(text, value_text);
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
};

}  // namespace

class LogFilter::Condition {
 public:
  using Step = std::variant<std::string, std::size_t>;  // a member, or a place in an array
  enum class Kind { kAny, kAnd, kOr, kCompare, kIs };

  Kind kind = Kind::kAny;
  std::vector<Condition> parts;  // of kAnd and kOr
  std::vector<Step> path;        // to the value that is tested
  Comparison comparison;
  Is is = Is::kTrue;

  bool Holds(const json::value& event) const {
    return Holds([&](const Condition& leaf) { return leaf.HoldsForLeaf(event); });
  }
  bool Holds(std::string_view word) const {
    return Holds(
        [&](const Condition& leaf) { return leaf.comparison.Holds(word, NumberIn(word)); });
  }

 private:
  template <typename Leaf>
  bool Holds(const Leaf& leaf) const {
    const auto holds = [&](const Condition& part) { return part.Holds(leaf); };
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

  bool HoldsForLeaf(const json::value& event) const {
    const json::value* value = Follow(event);
    if (kind == Kind::kIs) {
      if (is == Is::kMissing) return value == nullptr;
      if (value == nullptr) return false;
      if (is == Is::kNull) return value->is_null();
      return value->is_bool() && value->get_bool() == (is == Is::kTrue);
    }
    if (value == nullptr || value->is_structured()) return false;
    if (value->is_string()) {
      return comparison.Holds({value->get_string().data(), value->get_string().size()},
                              std::nullopt);
    }
    std::optional<double> number;
    if (value->is_number()) number = value->to_number<double>();
    return comparison.Holds(json::serialize(*value), number);
  }

  const json::value* Follow(const json::value& event) const {
    const json::value* at = &event;
    for (const Step& step : path) {
      if (const auto* name = std::get_if<std::string>(&step)) {
        at = at->is_object() ? at->get_object().if_contains(*name) : nullptr;
      } else {
        at = at->is_array() ? at->get_array().if_contains(std::get<std::size_t>(step)) : nullptr;
      }
      if (at == nullptr) return nullptr;
    }
    return at;
  }
};

// Recursive descent; throws Error, which Parse turns into its result.
class LogFilterParser {
 public:
  using Condition = LogFilter::Condition;

  explicit LogFilterParser(std::string_view text) : text_(text) {}

  LogFilter Parse() {
    SkipSpace();
    LogFilter filter;
    if (Take("{")) {
      filter.kind_ = LogFilter::Kind::kJson;
      filter.json_ = std::make_shared<const Condition>(ParseOr(Subject::kJson, {}));
      Expect("}");
    } else if (Take("[")) {
      filter.kind_ = LogFilter::Kind::kWords;
      ParseWords(filter);
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

 private:
  enum class Subject { kJson, kWord };

  void SkipSpace() {
    while (!text_.empty() && IsSpace(text_.front())) text_.remove_prefix(1);
  }
  bool Take(std::string_view token) {
    SkipSpace();
    if (!text_.starts_with(token)) return false;
    text_.remove_prefix(token.size());
    return true;
  }
  void Expect(std::string_view token) {
    if (!Take(token)) throw Invalid();
  }
  bool TakeWord(std::string_view word) {
    SkipSpace();
    if (!text_.starts_with(word)) return false;
    if (text_.size() > word.size() && IsWordCharacter(text_[word.size()])) return false;
    text_.remove_prefix(word.size());
    return true;
  }
  template <typename Allowed>
  std::string TakeWhile(Allowed allowed) {
    std::size_t end = 0;
    while (end < text_.size() && allowed(text_[end])) ++end;
    std::string taken(text_.substr(0, end));
    text_.remove_prefix(end);
    return taken;
  }

  // Behind the opening quote.
  std::string TakeQuoted() {
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

  void ParseTerm(LogFilter& filter) {
    auto* into = &filter.all_;
    if (text_.front() == '?') into = &filter.any_;
    if (text_.front() == '-') into = &filter.none_;
    if (into != &filter.all_) text_.remove_prefix(1);
    RefuseExpression();
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

  void RefuseExpression() const {
    if (!text_.starts_with('%')) return;
    throw Invalid(
        "Invalid filter pattern: regular expressions (%...%) are not supported by this "
        "local service");
  }

  void ParseWords(LogFilter& filter) {
    bool has_rest = false;
    do {
      LogFilter::Field field;
      if (Take("...")) {
        if (std::exchange(has_rest, true)) throw Invalid();
        field.rest = true;
      } else {
        field.condition = std::make_shared<const Condition>(ParseField());
      }
      filter.words_.push_back(std::move(field));
    } while (Take(","));
    Expect("]");
  }

  Condition ParseField() {
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

  Condition ParseOr(Subject subject, std::string_view name) {
    Condition first = ParseAnd(subject, name);
    if (!Take("||")) return first;
    Condition either;
    either.kind = Condition::Kind::kOr;
    either.parts.push_back(std::move(first));
    do {
      either.parts.push_back(ParseAnd(subject, name));
    } while (Take("||"));
    return either;
  }

  Condition ParseAnd(Subject subject, std::string_view name) {
    Condition first = ParsePrimary(subject, name);
    if (!Take("&&")) return first;
    Condition both;
    both.kind = Condition::Kind::kAnd;
    both.parts.push_back(std::move(first));
    do {
      both.parts.push_back(ParsePrimary(subject, name));
    } while (Take("&&"));
    return both;
  }

  Condition ParsePrimary(Subject subject, std::string_view name) {
    if (Take("(")) {
      if (++depth_ > kDeepest) throw Invalid();
      Condition inner = ParseOr(subject, name);
      --depth_;
      Expect(")");
      return inner;
    }
    Condition leaf;
    leaf.kind = Condition::Kind::kCompare;
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

  void ParsePath(Condition& leaf) {
    Expect("$");
    for (;;) {
      if (text_.starts_with("[\"") || text_.starts_with("['")) {
        const char quote = text_[1];
        text_.remove_prefix(2);
        leaf.path.emplace_back(TakeWhile([&](char c) { return c != quote; }));
        Expect(std::string_view(&quote, 1));
        Expect("]");
      } else if (text_.starts_with('[')) {
        text_.remove_prefix(1);
        const std::string digits = TakeWhile([](char c) { return c >= '0' && c <= '9'; });
        if (digits.empty() || digits.size() > 9) throw Invalid();
        leaf.path.emplace_back(static_cast<std::size_t>(std::stoul(digits)));
        Expect("]");
      } else if (text_.starts_with('.')) {
        text_.remove_prefix(1);
        std::string member = TakeWhile([](char c) {
          return IsWordCharacter(c) || c == '-' || c == '@' || c == ':' || c == '/';
        });
        if (member.empty()) throw Invalid();
        leaf.path.emplace_back(std::move(member));
      } else {
        break;
      }
    }
    if (leaf.path.empty()) throw Invalid();
  }

  bool ParseIs(Condition& leaf) {
    if (TakeWord("NOT")) {
      if (!TakeWord("EXISTS")) throw Invalid();
      leaf.is = Is::kMissing;
    } else if (TakeWord("IS")) {
      leaf.is = TakeWord("TRUE") ? Is::kTrue : TakeWord("FALSE") ? Is::kFalse : Is::kNull;
      if (leaf.is == Is::kNull && !TakeWord("NULL")) throw Invalid();
    } else {
      return false;
    }
    leaf.kind = Condition::Kind::kIs;
    return true;
  }

  void ParseComparison(Comparison& comparison) {
    if (Take("!=")) {
      comparison.test = Test::kUnequal;
    } else if (Take("<=")) {
      comparison.test = Test::kLessOrEqual;
    } else if (Take(">=")) {
      comparison.test = Test::kGreaterOrEqual;
    } else if (Take("<")) {
      comparison.test = Test::kLess;
    } else if (Take(">")) {
      comparison.test = Test::kGreater;
    } else {
      Expect("=");
    }
    SkipSpace();
    RefuseExpression();
    if (Take("\"")) {
      comparison.text = TakeQuoted();
    } else {
      comparison.text = TakeWhile([](char c) {
        return !IsSpace(c) && std::string_view("\"(){}[],&|=<>").find(c) == std::string_view::npos;
      });
      comparison.number = NumberIn(comparison.text);
      if (comparison.text.empty()) throw Invalid();
    }
    const bool orders = comparison.test != Test::kEqual && comparison.test != Test::kUnequal;
    if (orders && !comparison.number) throw Invalid();
  }

  std::string_view text_;
  int depth_ = 0;
};

std::expected<LogFilter, Error> LogFilter::Parse(std::string_view pattern) {
  if (pattern.size() > kLongestPattern) {
    return std::unexpected(
        Invalid("1 validation error detected: Value at 'filterPattern' failed "
                "to satisfy constraint: Member must have length less than or "
                "equal to 1024"));
  }
  try {
    return LogFilterParser(pattern).Parse();
  } catch (Error& error) {
    return std::unexpected(std::move(error));
  }
}

bool LogFilter::Matches(std::string_view message) const {
  switch (kind_) {
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
