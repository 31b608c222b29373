#pragma once

#include <expected>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include "base/log.h"
#include "service/api_error.h"
#include "service/function_store.h"

namespace kelvin::service {

// Keeps a package that a caller sent and unpacks it, on the workers. Fails with what AWS says of a
// zip that cannot be unpacked or is too large; `of` names it in the log: "function f".
boost::asio::awaitable<std::expected<StoredCode, ApiError>> KeepCode(
    FunctionStore& store, boost::asio::thread_pool& workers, Log& log, const std::string& of,
    const std::string& zip);

}  // namespace kelvin::service
