#include "deploy/function_spec.h"

namespace kelvin::deploy {

std::optional<Strategy> ParseStrategy(std::string_view name) {
  if (name == "managed") return Strategy::kManaged;
  if (name == "custom") return Strategy::kCustom;
  if (name == "image") return Strategy::kImage;
  return std::nullopt;
}

std::vector<std::string> DynamoDbActions(std::string_view program) {
  constexpr std::string_view kOperations[] = {
      "BatchGetItem", "BatchWriteItem", "DeleteItem", "DescribeTable",      "GetItem",
      "PutItem",      "Query",          "Scan",       "TransactWriteItems", "UpdateItem"};
  std::vector<std::string> actions;
  if (!program.contains("DynamoDB_20120810")) return actions;
  for (const std::string_view operation : kOperations) {
    // A literal of its own: the end of a string before it, and its own end.
    std::string literal(1, '\0');
    literal += operation;
    literal += '\0';
    if (program.contains(literal)) actions.push_back("dynamodb:" + std::string(operation));
  }
  return actions;
}

}  // namespace kelvin::deploy
