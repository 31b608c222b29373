#pragma once

#include <type_traits>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace kelvin::service {

// Runs blocking work on the workers; the coroutine goes on where it was. What `work` refers to
// must live in the waiting coroutine.
template <typename Work>
boost::asio::awaitable<std::invoke_result_t<Work&>> Offload(boost::asio::thread_pool& workers,
                                                            Work work) {
  using Result = std::invoke_result_t<Work&>;
  const auto run = [](Work& inner) -> boost::asio::awaitable<Result> { co_return inner(); };
  co_return co_await boost::asio::co_spawn(workers, run(work), boost::asio::use_awaitable);
}

}  // namespace kelvin::service
