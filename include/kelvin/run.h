#pragma once

#include <functional>
#include <utility>

#include "kelvin/handler.h"

namespace kelvin {

// Called once when Lambda ends the environment (SIGTERM), on a thread of its own but never while
// the handler runs; the process then exits with 0. Lambda leaves it some 300 ms.
struct OnShutdown {
  std::function<void()> callback = {};
};

// Serves invocations with the handler that the factory makes. The compiled heart of Run and
// RunFactory; returns the process's exit status once it cannot go on.
int RunRaw(const RawHandlerFactory& factory, const OnShutdown& on_shutdown = {});

// Serves invocations with `handler`, which is called with one event at a time and is one of
//   R handler(Event)          Event and R go from and to JSON (kelvin/json.h); R may be void
//   R handler(Event, const kelvin::Context&)
//   std::string handler(std::string_view payload)        bytes as they come, with or without
//   std::string handler(std::string_view payload, const kelvin::Context&)           the context
// and may give std::expected<R, E>, E being kelvin::HandlerError, a string, or anything with a
// `message`. An error or an exception answers that one invocation; the process lives on.
//
//   int main() { return kelvin::Run(Greet); }
//
// Returns only when the process cannot go on: the value is its exit status.
template <typename Handler>
int Run(Handler handler, const OnShutdown& on_shutdown = {}) {
  return RunRaw([&](const InitContext&) { return Adapt(std::move(handler)); }, on_shutdown);
}

// The same, with the handler made in Lambda's init phase: `factory` takes const InitContext& or
// nothing and gives the handler or std::expected<Handler, E>. Its failure is posted as the init
// error, and the process exits with 1.
//
//   int main() {
//     return kelvin::RunFactory([](const kelvin::InitContext& init) { return MakeOrders(init); });
//   }
template <typename Factory>
int RunFactory(Factory factory, const OnShutdown& on_shutdown = {}) {
  return RunRaw([&](const InitContext& init) { return detail::MakeHandler(factory, init); },
                on_shutdown);
}

}  // namespace kelvin
