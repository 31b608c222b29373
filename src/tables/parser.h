#pragma once

#include <string_view>
#include <vector>

#include "tables/expression.h"
#include "tables/failure.h"
#include "tables/placeholders.h"

namespace kelvin::tables {

inline constexpr std::size_t kMaxExpressionBytes = 4096;
inline constexpr int kMaxOperators = 300;

// The parsers of one grammar. `parameter` is the request's name for the text, such as
// "FilterExpression", for messages. What they return points into `text` and `placeholders`.
Outcome<Node> ParseCondition(std::string_view text, std::string_view parameter,
                             Placeholders& placeholders);
Outcome<std::vector<Path>> ParseProjection(std::string_view text, Placeholders& placeholders);
Outcome<Update> ParseUpdate(std::string_view text, Placeholders& placeholders);

}  // namespace kelvin::tables
