#pragma once

#include "base/clock.h"
#include "http/stream.h"
#include "kelvin/run.h"
#include "kelvin/streaming.h"
#include "runtime/hooks.h"

namespace kelvin::runtime {

// The world that RunRaw works in; all of it outlives the call.
struct Host {
  Environment environment;
  http::Connector& connector;
  const Clock& clock;
  LogSink* log = nullptr;       // null is standard output
  LogSink* messages = nullptr;  // for the person who started it; null is standard error
  Hooks* hooks = nullptr;       // the engine's, if there is one
};

// What kelvin::RunRaw and RunRawStreaming do, in a given world.
int RunIn(const Host& host, const RawHandlerFactory& factory, const OnShutdown& on_shutdown);
int RunIn(const Host& host, const RawStreamHandlerFactory& factory, const OnShutdown& on_shutdown);

// The function's log as its environment asks for it. `sink` (null is standard output) and `clock`
// outlive it.
Logger LoggerFor(const Environment& environment, LogSink* sink, const Clock& clock);

}  // namespace kelvin::runtime
