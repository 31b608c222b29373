#pragma once

#include "base/clock.h"
#include "http/stream.h"
#include "kelvin/run.h"

namespace kelvin::runtime {

// The world that RunRaw works in; all of it outlives the call.
struct Host {
  Environment environment;
  http::Connector& connector;
  const Clock& clock;
  LogSink* log = nullptr;       // null is standard output
  LogSink* messages = nullptr;  // for the person who started it; null is standard error
};

// What kelvin::RunRaw does, in a given world.
int RunIn(const Host& host, const RawHandlerFactory& factory, const OnShutdown& on_shutdown);

}  // namespace kelvin::runtime
