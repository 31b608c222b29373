#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tables/expression.h"
#include "tables/lexer.h"

namespace kelvin::tables {

// A recursive descent over one expression that builds its tree and nothing else: names are not
// looked up, functions and types not checked. After the first syntax error every call returns at
// once, and error() says what was wrong.
class Grammar {
 public:
  explicit Grammar(std::string_view text);

  Node Condition();  // a whole condition, to the end of the text
  std::vector<Path> Projection();
  Update Updates();

  const std::string& error() const { return error_; }
  bool has_redundant_parentheses() const { return redundant_parentheses_; }
  // The name of a section that an update holds twice, or empty.
  std::string_view repeated_section() const { return repeated_section_; }
  int operator_count() const { return operators_; }

 private:
  enum class Parentheses { kNone, kAround };
  struct Grouped {
    Node node;
    Parentheses parentheses = Parentheses::kNone;
  };
  class Nesting;

  Grouped Or();
  Grouped And();
  Grouped Not();
  Grouped Comparison();
  Grouped Group();
  Node Between(Node operand);
  Node In(Node operand);
  Node Operand();
  Node FunctionCall();
  Node SetValue();
  Node Sum();
  Path DocumentPath();
  void PathSuffix(Path& path);
  std::vector<Node> Arguments();
  UpdateAction Action(UpdateAction::Kind kind);
  void Section(Update& update);

  void RequireCondition(const Node& node);
  // Whether the token is a keyword of what is being read, and no name.
  bool IsReserved(const Token& token) const;
  const Token& Peek(std::size_t ahead = 0) const;
  const Token& Take();
  bool TakeSymbol(std::string_view symbol);
  bool TakeKeyword(std::string_view keyword);
  void Expect(std::string_view symbol);
  void ExpectEnd();
  void Fail();
  void Fail(std::string message);

  std::string_view text_;
  std::vector<Token> tokens_;
  std::size_t position_ = 0;
  int depth_ = 0;
  int operators_ = 0;
  unsigned sections_ = 0;
  bool reads_update_ = false;
  bool redundant_parentheses_ = false;
  std::string_view repeated_section_;
  std::string error_;
};

}  // namespace kelvin::tables
