#include "tables/grammar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace kelvin::tables {
namespace {

// Deeper than any tree with the permitted number of operators; a text beyond it can only hold
// parentheses around parentheses.
constexpr int kMaxDepth = 302;
constexpr std::size_t kMaxListIndex = 2'147'483'647;

struct ComparatorText {
  std::string_view text;
  Operator op;
};
constexpr std::array<ComparatorText, 8> kOperators = {{{"=", Operator::kEqual},
                                                       {"<>", Operator::kNotEqual},
                                                       {"<", Operator::kLess},
                                                       {"<=", Operator::kLessOrEqual},
                                                       {">", Operator::kGreater},
                                                       {">=", Operator::kGreaterOrEqual},
                                                       {"+", Operator::kPlus},
                                                       {"-", Operator::kMinus}}};

std::optional<Operator> OperatorOf(const Token& token) {
  if (token.kind != TokenKind::kSymbol) return std::nullopt;
  for (const auto& [text, op] : kOperators) {
    if (token.text == text) return op;
  }
  return std::nullopt;
}

bool IsArithmetic(Operator op) {
  return op == Operator::kPlus || op == Operator::kMinus;
}

bool IsOneOf(const Token& token, std::initializer_list<std::string_view> keywords) {
  return std::ranges::any_of(keywords, [&](auto keyword) { return IsKeyword(token, keyword); });
}

bool IsConditionKeyword(const Token& token) {
  return IsOneOf(token, {"AND", "OR", "NOT", "BETWEEN", "IN"});
}

Node MakeNode(NodeKind kind, std::vector<Node> args) {
  Node node;
  node.kind = kind;
  node.args = std::move(args);
  return node;
}

}  // namespace

std::string_view OperatorText(Operator op) {
  return kOperators[static_cast<std::size_t>(op)].text;
}

std::string PathText(const Path& path) {
  std::string text = "[";
  for (const PathElement& element : path) {
    if (text.size() > 1) text += ", ";
    if (const auto* name = std::get_if<std::string>(&element)) {
      text += *name;
    } else {
      text += fmt::format("[{}]", std::get<std::size_t>(element));
    }
  }
  return text + "]";
}

// Counts how deep the descent is, and stops it before the stack would.
class Grammar::Nesting {
 public:
  explicit Nesting(Grammar& grammar) : grammar_(grammar) {
    if (++grammar_.depth_ <= kMaxDepth) return;
    grammar_.redundant_parentheses_ = true;
    grammar_.Fail("The expression has redundant parentheses;");
  }
  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;
  ~Nesting() { --grammar_.depth_; }

 private:
  Grammar& grammar_;
};

Grammar::Grammar(std::string_view text) : text_(text), tokens_(Lex(text)) {}

const Token& Grammar::Peek(std::size_t ahead) const {
  return tokens_[std::min(position_ + ahead, tokens_.size() - 1)];
}

const Token& Grammar::Take() {
  const Token& token = Peek();
  if (position_ + 1 < tokens_.size()) ++position_;
  return token;
}

void Grammar::Fail(std::string message) {
  if (error_.empty()) error_ = std::move(message);
  position_ = tokens_.size() - 1;
}

void Grammar::Fail() {
  Fail(error_.empty() ? SyntaxError(text_, tokens_, position_) : std::string{});
}

bool Grammar::TakeSymbol(std::string_view symbol) {
  if (Peek().kind != TokenKind::kSymbol || Peek().text != symbol) return false;
  Take();
  return true;
}

bool Grammar::TakeKeyword(std::string_view keyword) {
  if (!IsKeyword(Peek(), keyword)) return false;
  Take();
  ++operators_;
  return true;
}

void Grammar::Expect(std::string_view symbol) {
  if (!TakeSymbol(symbol)) Fail();
}

void Grammar::ExpectEnd() {
  if (Peek().kind != TokenKind::kEnd) Fail();
}

// Only comparisons and functions can stand where a truth is wanted; `a AND b` is a syntax error at
// the token that should have gone on with the comparison.
void Grammar::RequireCondition(const Node& node) {
  if (node.kind == NodeKind::kPath || node.kind == NodeKind::kValue) Fail();
}

bool Grammar::IsReserved(const Token& token) const {
  return IsConditionKeyword(token) ||
         (reads_update_ && IsOneOf(token, {"SET", "REMOVE", "ADD", "DELETE"}));
}

Node Grammar::Condition() {
  Node node = Or().node;
  RequireCondition(node);
  ExpectEnd();
  return node;
}

Grammar::Grouped Grammar::Or() {
  Grouped first = And();
  if (!IsKeyword(Peek(), "OR")) return first;
  std::vector<Node> args;
  RequireCondition(first.node);
  args.push_back(std::move(first.node));
  while (TakeKeyword("OR")) {
    args.push_back(And().node);
    RequireCondition(args.back());
  }
  return {MakeNode(NodeKind::kOr, std::move(args))};
}

Grammar::Grouped Grammar::And() {
  Grouped first = Not();
  if (!IsKeyword(Peek(), "AND")) return first;
  std::vector<Node> args;
  RequireCondition(first.node);
  args.push_back(std::move(first.node));
  while (TakeKeyword("AND")) {
    args.push_back(Not().node);
    RequireCondition(args.back());
  }
  return {MakeNode(NodeKind::kAnd, std::move(args))};
}

Grammar::Grouped Grammar::Not() {
  int negations = 0;
  while (TakeKeyword("NOT")) ++negations;
  Grouped condition = Comparison();
  for (; negations > 0; --negations) {
    RequireCondition(condition.node);
    std::vector<Node> args;
    args.push_back(std::move(condition.node));
    condition = {MakeNode(NodeKind::kNot, std::move(args))};
  }
  return condition;
}

Grammar::Grouped Grammar::Comparison() {
  Grouped left = Group();
  const auto op = OperatorOf(Peek());
  const bool goes_on =
      (op && !IsArithmetic(*op)) || IsKeyword(Peek(), "BETWEEN") || IsKeyword(Peek(), "IN");
  if (!goes_on) return left;
  const NodeKind kind = left.node.kind;
  if (kind != NodeKind::kPath && kind != NodeKind::kValue && kind != NodeKind::kFunction) Fail();
  if (TakeKeyword("BETWEEN")) return {Between(std::move(left.node))};
  if (TakeKeyword("IN")) return {In(std::move(left.node))};
  if (!op) return left;
  Take();
  ++operators_;
  std::vector<Node> args;
  args.push_back(std::move(left.node));
  args.push_back(Operand());
  Node node = MakeNode(NodeKind::kCompare, std::move(args));
  node.op = *op;
  return {std::move(node)};
}

// An operand, or anything at all in parentheses: only what follows tells which was meant.
Grammar::Grouped Grammar::Group() {
  if (!TakeSymbol("(")) return {Operand()};
  const Nesting nesting(*this);
  if (!error_.empty()) return {};
  Grouped inner = Or();
  Expect(")");
  if (inner.parentheses == Parentheses::kAround) redundant_parentheses_ = true;
  if (inner.node.kind == NodeKind::kPath) PathSuffix(inner.node.path);
  return {std::move(inner.node), Parentheses::kAround};
}

Node Grammar::Between(Node operand) {
  std::vector<Node> args;
  args.push_back(std::move(operand));
  args.push_back(Operand());
  if (!IsKeyword(Peek(), "AND")) Fail();
  Take();
  args.push_back(Operand());
  return MakeNode(NodeKind::kBetween, std::move(args));
}

Node Grammar::In(Node operand) {
  std::vector<Node> args;
  args.push_back(std::move(operand));
  Expect("(");
  do {
    args.push_back(Operand());
  } while (TakeSymbol(","));
  Expect(")");
  return MakeNode(NodeKind::kIn, std::move(args));
}

Node Grammar::Operand() {
  const Nesting nesting(*this);
  Node node;
  if (!error_.empty()) return node;
  if (TakeSymbol("(")) {
    const bool nested = Peek().text == "(";
    const std::size_t inner_start = position_;
    node = Operand();
    // Doubled where the inner operand was nothing but another pair.
    if (nested && tokens_[inner_start].kind == TokenKind::kSymbol && Peek().text == ")" &&
        position_ > 0 && tokens_[position_ - 1].text == ")") {
      redundant_parentheses_ = true;
    }
    Expect(")");
    if (node.kind == NodeKind::kPath && !reads_update_) PathSuffix(node.path);
    return node;
  }
  if (Peek().kind == TokenKind::kValue) {
    node.kind = NodeKind::kValue;
    node.token = Take().text;
    return node;
  }
  if (Peek().kind == TokenKind::kWord && Peek(1).text == "(" && !IsConditionKeyword(Peek())) {
    return FunctionCall();
  }
  node.kind = NodeKind::kPath;
  node.path = DocumentPath();
  return node;
}

Node Grammar::FunctionCall() {
  Node node;
  node.kind = NodeKind::kFunction;
  node.token = Take().text;
  ++operators_;
  node.args = Arguments();
  return node;
}

std::vector<Node> Grammar::Arguments() {
  std::vector<Node> args;
  Expect("(");
  do {
    args.push_back(Operand());
  } while (TakeSymbol(","));
  Expect(")");
  return args;
}

Path Grammar::DocumentPath() {
  Path path;
  const Token& head = Peek();
  const bool is_name =
      head.kind == TokenKind::kName || (head.kind == TokenKind::kWord && !IsReserved(head));
  if (!is_name) {
    Fail();
    return path;
  }
  path.emplace_back(std::string(Take().text));
  PathSuffix(path);
  return path;
}

void Grammar::PathSuffix(Path& path) {
  while (true) {
    if (TakeSymbol(".")) {
      if (Peek().kind != TokenKind::kName && Peek().kind != TokenKind::kWord) return Fail();
      path.emplace_back(std::string(Take().text));
    } else if (TakeSymbol("[")) {
      const Token& token = Peek();
      if (token.kind != TokenKind::kInteger) return Fail();
      std::size_t index = 0;
      const auto end = token.text.data() + token.text.size();
      const auto parsed = std::from_chars(token.text.data(), end, index);
      if (parsed.ec != std::errc{} || index > kMaxListIndex) {
        return Fail(
            fmt::format("List index is not within the allowable range; index: [{}]", token.text));
      }
      Take();
      path.emplace_back(index);
      Expect("]");
    } else {
      return;
    }
  }
}

Node Grammar::SetValue() {
  const std::size_t start = position_;
  if (Peek().text != "(") return Sum();
  // "(a) + b" or "(a + b)": a look past the first operand tells.
  const bool whole_is_grouped = [&] {
    int open = 0;
    std::size_t at = start;
    for (; at < tokens_.size(); ++at) {
      if (tokens_[at].text == "(") ++open;
      if (tokens_[at].text == ")" && --open == 0) break;
      if (open == 1 && (tokens_[at].text == "+" || tokens_[at].text == "-")) return true;
    }
    return false;
  }();
  if (!whole_is_grouped) return Sum();
  Expect("(");
  Node node = Sum();
  Expect(")");
  return node;
}

Node Grammar::Sum() {
  Node left = Operand();
  const auto op = OperatorOf(Peek());
  if (!op || !IsArithmetic(*op)) return left;
  Take();
  ++operators_;
  std::vector<Node> args;
  args.push_back(std::move(left));
  args.push_back(Operand());
  Node node = MakeNode(NodeKind::kArithmetic, std::move(args));
  node.op = *op;
  return node;
}

}  // namespace kelvin::tables
