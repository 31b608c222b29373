#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kelvin::cli {

// The candidate that `word` is most likely a slip of: at most a third of its letters wrong,
// missing, too many or swapped with their neighbour.
std::optional<std::string> Suggest(std::string_view word,
                                   const std::vector<std::string>& candidates);

// "; did you mean compare?", or empty.
std::string DidYouMean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace kelvin::cli
