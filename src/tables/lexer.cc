#include "tables/lexer.h"

#include <algorithm>

#include <fmt/format.h>

namespace kelvin::tables {
namespace {

bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsWordPart(char c) {
  return IsLetter(c) || IsDigit(c) || c == '_';
}
bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

template <typename Predicate>
std::size_t EndOf(std::string_view text, std::size_t from, Predicate belongs) {
  while (from < text.size() && belongs(text[from])) ++from;
  return from;
}

// A character outside the tokens, whole where it has several bytes.
std::size_t EndOfUnknown(std::string_view text, std::size_t start) {
  return EndOf(text, start + 1,
               [](char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; });
}

Token Next(std::string_view text, std::size_t start) {
  constexpr std::string_view kSymbols = "()[].,=<>+-";
  const auto token = [&](TokenKind kind, std::size_t end) {
    return Token{kind, text.substr(start, end - start), start};
  };
  const char c = text[start];
  if (IsLetter(c)) return token(TokenKind::kWord, EndOf(text, start, IsWordPart));
  if (IsDigit(c)) return token(TokenKind::kInteger, EndOf(text, start, IsDigit));
  if (c == '#' || c == ':') {
    const std::size_t end = EndOf(text, start + 1, IsWordPart);
    if (end == start + 1) return token(TokenKind::kUnknown, end);
    return token(c == '#' ? TokenKind::kName : TokenKind::kValue, end);
  }
  if (!kSymbols.contains(c)) return token(TokenKind::kUnknown, EndOfUnknown(text, start));
  const std::string_view two = text.substr(start, 2);
  const bool is_long = two == "<>" || two == "<=" || two == ">=";
  return token(TokenKind::kSymbol, start + (is_long ? 2 : 1));
}

}  // namespace

std::vector<Token> Lex(std::string_view expression) {
  std::vector<Token> tokens;
  std::size_t at = EndOf(expression, 0, IsSpace);
  while (at < expression.size()) {
    tokens.push_back(Next(expression, at));
    at = EndOf(expression, at + tokens.back().text.size(), IsSpace);
  }
  tokens.push_back(Token{TokenKind::kEnd, "<EOF>", expression.size()});
  return tokens;
}

bool IsKeyword(const Token& token, std::string_view upper_case) {
  const auto upper = [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  };
  return token.kind == TokenKind::kWord && std::ranges::equal(token.text, upper_case, {}, upper);
}

std::string SyntaxError(std::string_view expression, const std::vector<Token>& tokens,
                        std::size_t position) {
  const Token& token = tokens[position];
  const Token& first = position > 0 ? tokens[position - 1] : token;
  const Token& last = position + 1 < tokens.size() ? tokens[position + 1] : token;
  const std::size_t end =
      last.kind == TokenKind::kEnd ? expression.size() : last.offset + last.text.size();
  return fmt::format("Syntax error; token: \"{}\", near: \"{}\"", token.text,
                     expression.substr(first.offset, end - first.offset));
}

}  // namespace kelvin::tables
