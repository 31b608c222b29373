#include "service/log_expression.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace kelvin::service {
namespace {

constexpr std::size_t kMostSteps = 2000;
constexpr std::size_t kMostTimes = 1000;

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

bool IsAlphanumeric(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool IsPlain(char c) {
  return IsAlphanumeric(c) || std::string_view(":_#=@/;,- ").contains(c);
}

std::optional<unsigned> HexDigit(char c) {
  if (IsDigit(c)) return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

// How many bytes the character at the beginning of `text` has.
std::size_t Length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t length = lead < 0xc2   ? 1
                             : lead < 0xe0 ? 2
                             : lead < 0xf0 ? 3
                             : lead < 0xf5 ? 4
                                           : 1;
  if (length > text.size()) return 1;
  const auto follows = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; };
  return std::ranges::all_of(text.substr(1, length - 1), follows) ? length : 1;
}

}  // namespace

// Throws Error, which LogExpression::Parse turns into its result.
class LogExpressionParser {
 public:
  explicit LogExpressionParser(std::string_view text) : text_(text) {}

  LogExpression Parse() {
    if (text_.empty()) throw Invalid();
    do {
      made_.starts_.push_back(made_.steps_.size());
      while (!text_.empty() && text_.front() != '|') ParseTerm();
      Add({});
    } while (Take('|'));
    return std::move(made_);
  }

 private:
  using Set = LogExpression::Set;
  using Step = LogExpression::Step;

  static Error Invalid() { return {ErrorCode::kInvalidArgument, "Invalid filter pattern"}; }

  bool Take(char c) {
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  char TakeOne() {
    if (text_.empty()) throw Invalid();
    const char c = text_.front();
    text_.remove_prefix(1);
    return c;
  }

  void Add(const Step& step) {
    if (made_.steps_.size() >= kMostSteps) throw Invalid();
    made_.steps_.push_back(step);
  }

  void ParseTerm() {
    if (Take('^')) return Add({.kind = Step::Kind::kBegin});
    if (Take('$')) return Add({.kind = Step::Kind::kEnd});
    Step step{.kind = Step::Kind::kCharacter};
    const char c = TakeOne();
    if (c == '.') {
      step.set.set();
    } else if (c == '[') {
      step.set = ParseClass();
    } else if (c == '\\') {
      step.set = ParseEscape();
    } else if (IsPlain(c)) {
      step.set.set(static_cast<std::size_t>(c));
    } else {
      throw Invalid();
    }
    Repeat(std::move(step));
  }

  void Repeat(Step step) {
    if (Take('?')) {
      step.optional = true;
      return Add(step);
    }
    if (Take('*')) {
      step.optional = step.repeats = true;
      return Add(step);
    }
    if (Take('+')) {
      step.repeats = true;
      return Add(step);
    }
    if (!Take('{')) return Add(step);
    const std::size_t least = ParseTimes();
    std::size_t most = least;
    bool has_most = true;
    if (Take(',')) {
      has_most = !text_.starts_with('}');
      if (has_most) most = ParseTimes();
    }
    if (!Take('}') || most < least || (has_most && most == 0)) throw Invalid();
    for (std::size_t i = 0; i < least; ++i) Add(step);
    step.optional = true;
    for (std::size_t i = least; i < most; ++i) Add(step);
    step.repeats = true;
    if (!has_most) Add(step);
  }

  std::size_t ParseTimes() {
    while (Take(' ')) {
    }
    if (text_.empty() || !IsDigit(text_.front())) throw Invalid();
    std::size_t times = 0;
    while (!text_.empty() && IsDigit(text_.front())) {
      times = times * 10 + static_cast<std::size_t>(TakeOne() - '0');
      if (times > kMostTimes) throw Invalid();
    }
    return times;
  }

  // Behind the backslash.
  Set ParseEscape() {
    const char c = TakeOne();
    Set set;
    switch (c) {
      case 'd':
      case 'D':
        for (char digit = '0'; digit <= '9'; ++digit) set.set(static_cast<std::size_t>(digit));
        break;
      case 'w':
      case 'W':
        for (std::size_t i = 0; i < LogExpression::kOther; ++i) {
          if (IsAlphanumeric(static_cast<char>(i)) || i == '_') set.set(i);
        }
        break;
      case 's':
      case 'S':
        for (const char space : {' ', '\t', '\n', '\r', '\f', '\v'}) {
          set.set(static_cast<std::size_t>(space));
        }
        break;
      case 'x':
        set.set(ParseHex());
        break;
      default:
        if (IsAlphanumeric(c) || c <= ' ' || c == 0x7f) throw Invalid();
        set.set(static_cast<std::size_t>(c));
    }
    return c == 'D' || c == 'W' || c == 'S' ? ~set : set;
  }

  std::size_t ParseHex() {
    const auto high = HexDigit(TakeOne());
    const auto low = HexDigit(TakeOne());
    if (!high || !low || *high > 7) throw Invalid();
    return *high * 16 + *low;
  }

  // Behind the opening bracket.
  Set ParseClass() {
    const bool inverted = Take('^');
    Set set;
    do {
      const Set from = ParseMember();
      const bool is_range = text_.size() > 1 && text_[0] == '-' && text_[1] != ']';
      if (!is_range) {
        set |= from;
        continue;
      }
      Take('-');
      const Set to = ParseMember();
      if (from.count() != 1 || to.count() != 1) throw Invalid();
      const std::size_t first = from._Find_first();
      const std::size_t last = to._Find_first();
      if (last < first) throw Invalid();
      for (std::size_t i = first; i <= last; ++i) set.set(i);
    } while (!Take(']'));
    return inverted ? ~set : set;
  }

  Set ParseMember() {
    const char c = TakeOne();
    if (c == '\\') return ParseEscape();
    // Signs that mean something elsewhere mean themselves here.
    if (!IsPlain(c) && !std::string_view(".^$|?*+{}").contains(c)) throw Invalid();
    Set set;
    set.set(static_cast<std::size_t>(c));
    return set;
  }

  std::string_view text_;
  LogExpression made_;
};

class LogExpression::Places {
 public:
  explicit Places(std::size_t steps) : is_in_(steps, false) {}
  bool empty() const { return list_.empty(); }
  const std::vector<std::size_t>& list() const { return list_; }
  // False when it was there.
  bool Insert(std::size_t step) {
    if (is_in_[step]) return false;
    is_in_[step] = true;
    list_.push_back(step);
    return true;
  }
  void Clear() {
    for (const std::size_t step : list_) is_in_[step] = false;
    list_.clear();
  }

 private:
  std::vector<bool> is_in_;
  std::vector<std::size_t> list_;
};

std::expected<LogExpression, Error> LogExpression::Parse(std::string_view text) {
  try {
    LogExpression made = LogExpressionParser(text).Parse();
    for (const std::size_t start : made.starts_) {
      for (std::size_t step = start; made.steps_[step].kind != Step::Kind::kMatch; ++step) {
        made.first_ |= made.steps_[step].set;
        const bool may_be_skipped =
            made.steps_[step].kind != Step::Kind::kCharacter || made.steps_[step].optional;
        if (!may_be_skipped) break;
      }
    }
    return made;
  } catch (Error& error) {
    return std::unexpected(std::move(error));
  }
}

// Goes to `step` and to what may be reached from it without another character; true at a match.
bool LogExpression::Enter(std::size_t step, bool at_begin, bool at_end, Places& places) const {
  for (;; ++step) {
    const Step& here = steps_[step];
    switch (here.kind) {
      case Step::Kind::kMatch:
        return true;
      case Step::Kind::kBegin:
        if (!at_begin) return false;
        break;
      case Step::Kind::kEnd:
        if (!at_end) return false;
        break;
      case Step::Kind::kCharacter:
        // Who was there before has been further, too.
        if (!places.Insert(step) || !here.optional) return false;
        break;
    }
  }
}

bool LogExpression::Matches(std::string_view text) const {
  Places places(steps_.size());
  Places next(steps_.size());
  // A line's last newline is behind its end.
  const std::size_t end = text.ends_with('\n') ? text.size() - 1 : text.size();
  std::size_t at = 0;
  for (;;) {
    const auto byte = at == text.size() ? std::size_t{0} : static_cast<unsigned char>(text[at]);
    const std::size_t character = std::min<std::size_t>(byte, kOther);
    // Most of a text has nothing to do with it.
    const bool may_begin = at == 0 || at >= end || first_[character];
    for (const std::size_t start : starts_) {
      if (may_begin && Enter(start, at == 0, at >= end, places)) return true;
    }
    if (at == text.size()) return false;
    at += byte < 0x80 ? 1 : Length(text.substr(at));
    next.Clear();
    for (const std::size_t step : places.list()) {
      if (!steps_[step].set[character]) continue;
      // One that repeats may stay, and needs nothing more.
      if (steps_[step].repeats) next.Insert(step);
      if (Enter(step + 1, false, at >= end, next)) return true;
    }
    std::swap(places, next);
  }
}

}  // namespace kelvin::service
