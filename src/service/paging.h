#pragma once

#include <cstddef>
#include <expected>

#include "service/api_error.h"
#include "service/router.h"

namespace kelvin::service {

// How many a list call may give at once: its MaxItems, from 1 to `most`; AWS gives no more than 50
// of most kinds, whatever is asked for.
std::expected<std::size_t, ApiError> MaxItems(const Route& route, std::size_t most = 50);

}  // namespace kelvin::service
