#include "service/paging.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "service/function_rules.h"

namespace kelvin::service {

std::expected<std::size_t, ApiError> MaxItems(const Route& route, std::size_t most) {
  const std::string_view text = route.InQuery("MaxItems");
  if (text.empty()) return most;
  int number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size() || number < 1) {
    return std::unexpected(
        ConstraintError(text, "maxItems", "Member must have value greater than or equal to 1"));
  }
  return std::min(static_cast<std::size_t>(number), most);
}

}  // namespace kelvin::service
