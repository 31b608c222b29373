#include <array>
#include <utility>

#include <fmt/format.h>

#include "tables/condition.h"

namespace kelvin::tables {
namespace {

// One condition on one key attribute.
struct KeyTerm {
  std::string_view attribute;
  const Node* node = nullptr;
  Operator op = Operator::kEqual;  // of a comparison, as read with the attribute on the left
  std::vector<const Value*> values;
};

std::unexpected<Failure> BadOperator(std::string_view name) {
  return Invalid(fmt::format("Invalid operator used in KeyConditionExpression: {}", name));
}

Operator Mirrored(Operator op) {
  switch (op) {
    case Operator::kLess:
      return Operator::kGreater;
    case Operator::kLessOrEqual:
      return Operator::kGreaterOrEqual;
    case Operator::kGreater:
      return Operator::kLess;
    case Operator::kGreaterOrEqual:
      return Operator::kLessOrEqual;
    default:
      return op;
  }
}

Outcome<void> CheckOperator(const Node& node) {
  switch (node.kind) {
    case NodeKind::kOr:
      return BadOperator("OR");
    case NodeKind::kNot:
      return BadOperator("NOT");
    case NodeKind::kIn:
      return BadOperator("IN");
    case NodeKind::kCompare:
      if (node.op == Operator::kNotEqual) return BadOperator("<>");
      return {};
    case NodeKind::kFunction:
      if (node.function != Function::kBeginsWith) return BadOperator(node.token);
      return {};
    default:
      return {};
  }
}

std::string_view LeadingOperator(const Node& node) {
  return node.kind == NodeKind::kBetween ? "BETWEEN" : node.token;
}

Outcome<KeyTerm> ReadTerm(const Node& node) {
  if (auto ok = CheckOperator(node); !ok) return std::unexpected(std::move(ok.error()));
  if (node.kind != NodeKind::kCompare && node.args[0].kind != NodeKind::kPath) {
    return Invalid(
        fmt::format("Invalid condition in KeyConditionExpression: {} operator must have the key "
                    "attribute as its first operand",
                    LeadingOperator(node)));
  }
  KeyTerm term;
  term.node = &node;
  term.op = node.op;
  for (std::size_t i = 0; i < node.args.size(); ++i) {
    const Node& arg = node.args[i];
    if (arg.kind == NodeKind::kFunction) {
      return Invalid("KeyConditionExpressions cannot contain nested operations");
    }
    if (arg.kind == NodeKind::kValue) {
      term.values.push_back(arg.value);
      continue;
    }
    if (!term.attribute.empty()) {
      return Invalid(
          "Invalid condition in KeyConditionExpression: Multiple attribute names used in one "
          "condition");
    }
    if (arg.path.size() > 1) {
      return Invalid("KeyConditionExpressions cannot have conditions on nested attributes");
    }
    term.attribute = std::get<std::string>(arg.path[0]);
    if (i > 0) term.op = Mirrored(node.op);
  }
  if (term.attribute.empty()) {
    return Invalid("Invalid condition in KeyConditionExpression: No key attribute specified");
  }
  return term;
}

Outcome<void> ReadTerms(const Node& node, std::vector<KeyTerm>& terms) {
  if (node.kind == NodeKind::kAnd) {
    for (const Node& arg : node.args) {
      if (auto read = ReadTerms(arg, terms); !read) return read;
    }
    return {};
  }
  auto term = ReadTerm(node);
  if (!term) return std::unexpected(std::move(term.error()));
  for (const KeyTerm& earlier : terms) {
    if (earlier.attribute == term->attribute) {
      return Invalid(
          "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition "
          "per key");
    }
  }
  terms.push_back(std::move(*term));
  return {};
}

const KeyTerm* FindTerm(const std::vector<KeyTerm>& terms, std::string_view attribute) {
  for (const KeyTerm& term : terms) {
    if (term.attribute == attribute) return &term;
  }
  return nullptr;
}

Outcome<void> CheckTerm(const KeyTerm& term, const KeyAttribute& key, KeyRole role) {
  for (const Value* value : term.values) {
    if (value->type() != key.type) {
      return InvalidParameter("Condition parameter type does not match schema type");
    }
    if (auto ok = CheckKeyValue(role, key.name, *value); !ok) return ok;
  }
  if (role == KeyRole::kPartition &&
      (term.node->kind != NodeKind::kCompare || term.op != Operator::kEqual)) {
    return Invalid("Query key condition not supported");
  }
  return {};
}

// The edges of a sort key's place, and of those that begin with it.
struct Edges {
  std::string begin;
  std::string after;
  std::string prefix;
};

Edges EdgesOf(const Value& value, SortLayout layout) {
  const std::string bytes = EncodeSort(value);
  if (layout == SortLayout::kTable) return {bytes, After(bytes), bytes};
  return {IndexSortBegin(bytes), IndexSortAfter(bytes), IndexSortPrefix(bytes)};
}

SortRange RangeOf(const KeyTerm& term, SortLayout layout) {
  const Edges bound = EdgesOf(*term.values[0], layout);
  if (term.node->kind == NodeKind::kBetween) {
    return {bound.begin, EdgesOf(*term.values[1], layout).after};
  }
  if (term.node->kind == NodeKind::kFunction) return {bound.prefix, AfterPrefix(bound.prefix)};
  switch (term.op) {
    case Operator::kLess:
      return {"", bound.begin};
    case Operator::kLessOrEqual:
      return {"", bound.after};
    case Operator::kGreater:
      return {bound.after, std::nullopt};
    case Operator::kGreaterOrEqual:
      return {bound.begin, std::nullopt};
    default:
      return {bound.begin, bound.after};
  }
}

Outcome<void> CheckTerms(const std::vector<KeyTerm>& terms, const KeySchema& schema) {
  const auto missing = [](std::string_view name) {
    return Invalid(fmt::format("Query condition missed key schema element: {}", name));
  };
  if (terms.size() > 2) {
    return Invalid(
        fmt::format("The number of query conditions ({}) exceeds the number of key attributes "
                    "defined in the schema ({})",
                    terms.size(), schema.sort ? 2 : 1));
  }
  if (!schema.sort && terms.size() > 1) return Invalid("Query key condition not supported");
  const KeyTerm* partition = FindTerm(terms, schema.partition.name);
  if (partition == nullptr) return missing(schema.partition.name);
  if (auto ok = CheckTerm(*partition, schema.partition, KeyRole::kPartition); !ok) return ok;
  if (terms.size() < 2) return {};
  const KeyTerm* sort = FindTerm(terms, schema.sort->name);
  if (sort == nullptr) return missing(schema.sort->name);
  return CheckTerm(*sort, *schema.sort, KeyRole::kSort);
}

}  // namespace

Outcome<void> CheckKeyCondition(const Node& condition) {
  std::vector<KeyTerm> terms;
  return ReadTerms(condition, terms);
}

Outcome<KeyRange> ReadKeyCondition(const Node& condition, const KeySchema& schema,
                                   SortLayout layout) {
  std::vector<KeyTerm> terms;
  if (auto read = ReadTerms(condition, terms); !read) {
    return std::unexpected(std::move(read.error()));
  }
  if (auto ok = CheckTerms(terms, schema); !ok) return std::unexpected(std::move(ok.error()));
  KeyRange range;
  range.partition = EncodePartition(*FindTerm(terms, schema.partition.name)->values[0]);
  if (terms.size() == 2) range.sort = RangeOf(*FindTerm(terms, schema.sort->name), layout);
  return range;
}

}  // namespace kelvin::tables
