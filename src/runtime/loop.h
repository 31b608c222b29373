#pragma once

#include <mutex>

#include "base/clock.h"
#include "base/error.h"
#include "kelvin/handler.h"
#include "kelvin/streaming.h"
#include "runtime/api.h"
#include "runtime/hooks.h"
#include "runtime/trace_variable.h"

namespace kelvin::runtime {

// How often, and how long apart, a failing GET .../next is tried before the loop gives up.
struct RetryOptions {
  int attempts = 6;
  std::chrono::milliseconds first_pause{10};  // doubles each time
};

// What the loop works with; all of it outlives the loop.
struct LoopParts {
  Api& api;
  const Clock& clock;
  TraceVariable& trace;
  const Logger& log;
  const FunctionInfo& function;
  std::mutex& busy;  // held while an invocation runs
  Hooks* hooks = nullptr;
};

// Asks for invocations, runs the handler and posts what came of it, one at a time.
class Loop {
 public:
  explicit Loop(const LoopParts& parts, RetryOptions retry = {}) : parts_(parts), retry_(retry) {}

  // Serves until the Runtime API says that it cannot go on, or stays away: the error says which.
  // Nothing that a handler does, and no refusal of one response, ends it.
  Error Serve(RawHandler& handler);
  Error Serve(RawStreamHandler& handler);

 private:
  template <typename Handler>
  Error ServeAll(Handler& handler);
  std::expected<Invocation, Error> Next();
  std::expected<void, Error> ServeOne(RawHandler& handler, const Invocation& invocation);
  std::expected<void, Error> ServeOne(RawStreamHandler& handler, const Invocation& invocation);
  std::expected<void, Error> Answer(const Context& context, std::string_view response);
  std::expected<void, Error> Fail(const Context& context, const HandlerError& error, Origin origin);
  std::expected<void, Error> GoOnUnlessFatal(const Context& context, std::string_view what,
                                             std::expected<void, Error> posted);

  LoopParts parts_;
  RetryOptions retry_;
};

// Logs the failure with its stack.
void LogHandlerError(const Logger& log, LogLevel level, const HandlerError& error);

}  // namespace kelvin::runtime
