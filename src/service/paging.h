#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string_view>
#include <utility>

#include <boost/json.hpp>

#include "service/api_error.h"
#include "service/router.h"

namespace kelvin::service {

// How many a list call may give at once: its MaxItems, from 1 to `most`; AWS gives no more than 50
// of most kinds, whatever is asked for.
std::expected<std::size_t, ApiError> MaxItems(const Route& route, std::size_t most = 50);

// The answer of a list call about `all`, a map by name: up to `most` of what comes after the
// request's Marker, in the body's `member`, and NextMarker where there is more. `describe(name,
// value)` gives an item as a json::object, or nothing for one that is not asked for.
template <typename Map, typename Describe>
http::Response ListResponse(const Route& route, std::size_t most, std::string_view member,
                            const Map& all, Describe describe) {
  boost::json::array items;
  boost::json::object body;
  std::string_view last;
  for (auto next = all.upper_bound(route.InQuery("Marker")); next != all.end(); ++next) {
    std::optional<boost::json::object> item = describe(next->first, next->second);
    if (!item) continue;
    if (items.size() == most) {
      body["NextMarker"] = last;
      break;
    }
    items.push_back(std::move(*item));
    last = next->first;
  }
  body[member] = std::move(items);
  return JsonResponse(200, boost::json::serialize(body));
}

}  // namespace kelvin::service
