#include "tables/parser.h"

#include <utility>

#include <fmt/format.h>

#include "tables/checker.h"
#include "tables/grammar.h"

namespace kelvin::tables {
namespace {

std::unexpected<Failure> InvalidExpression(std::string_view parameter, std::string_view fault) {
  return Invalid(fmt::format("Invalid {}: {}", parameter, fault));
}

Outcome<void> CheckSize(std::string_view text, std::string_view parameter) {
  if (text.empty()) return InvalidExpression(parameter, "The expression can not be empty;");
  if (text.size() <= kMaxExpressionBytes) return {};
  return InvalidExpression(
      parameter, parameter == "UpdateExpression"
                     ? std::string("Expression size has exceeded the maximum allowed size;")
                     : fmt::format("Expression size has exceeded the maximum allowed size; "
                                   "expression size: {}",
                                   text.size()));
}

// What the grammar alone finds wrong.
std::string FaultOf(const Grammar& grammar) {
  if (!grammar.error().empty()) return grammar.error();
  if (grammar.has_redundant_parentheses()) return "The expression has redundant parentheses;";
  if (grammar.operator_count() <= kMaxOperators) return {};
  return fmt::format(
      "The expression contains too many operators; expected at most {}, operator count: {}",
      kMaxOperators, grammar.operator_count());
}

}  // namespace

Outcome<Node> ParseCondition(std::string_view text, std::string_view parameter,
                             Placeholders& placeholders) {
  if (auto ok = CheckSize(text, parameter); !ok) return std::unexpected(std::move(ok.error()));
  Grammar grammar(text);
  Node condition = grammar.Condition();
  std::string fault = FaultOf(grammar);
  if (fault.empty()) fault = CheckCondition(condition, placeholders);
  if (!fault.empty()) return InvalidExpression(parameter, fault);
  return condition;
}

Outcome<std::vector<Path>> ParseProjection(std::string_view text, Placeholders& placeholders) {
  constexpr std::string_view kParameter = "ProjectionExpression";
  if (auto ok = CheckSize(text, kParameter); !ok) return std::unexpected(std::move(ok.error()));
  Grammar grammar(text);
  std::vector<Path> paths = grammar.Projection();
  std::string fault = FaultOf(grammar);
  if (fault.empty()) fault = CheckProjection(paths, placeholders);
  if (!fault.empty()) return InvalidExpression(kParameter, fault);
  return paths;
}

Outcome<Update> ParseUpdate(std::string_view text, Placeholders& placeholders) {
  constexpr std::string_view kParameter = "UpdateExpression";
  if (auto ok = CheckSize(text, kParameter); !ok) return std::unexpected(std::move(ok.error()));
  Grammar grammar(text);
  Update update = grammar.Updates();
  std::string fault = FaultOf(grammar);
  if (fault.empty()) fault = CheckUpdate(update, grammar.repeated_section(), placeholders);
  if (!fault.empty()) return InvalidExpression(kParameter, fault);
  return update;
}

}  // namespace kelvin::tables
