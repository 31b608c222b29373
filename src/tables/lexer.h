#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace kelvin::tables {

enum class TokenKind {
  kWord,     // a letter, then letters, digits and underscores: a name, a keyword, a function
  kName,     // #placeholder
  kValue,    // :placeholder
  kInteger,  // digits
  kSymbol,   // one of ( ) [ ] . , = <> < <= > >= + -
  kUnknown,  // a character of no token
  kEnd,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string_view text;   // within the expression; "<EOF>" at the end
  std::size_t offset = 0;  // of the text, or the expression's length at the end
};

// Cuts an expression of any kind into tokens; the last is kEnd, the only one of that kind. The
// tokens point into `expression`.
std::vector<Token> Lex(std::string_view expression);

// Whether the token is that keyword, in any case.
bool IsKeyword(const Token& token, std::string_view upper_case);

// Where the text goes wrong, as the protocol says it: the token and its neighbours.
std::string SyntaxError(std::string_view expression, const std::vector<Token>& tokens,
                        std::size_t position);

}  // namespace kelvin::tables
