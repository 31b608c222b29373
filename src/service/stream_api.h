#pragma once

#include "http/server.h"
#include "service/control.h"
#include "service/environment.h"

namespace kelvin::service {

// The body of an InvokeWithResponseStream's answer: the pieces as event stream, then
// InvokeComplete with what came of it. A response that was not streamed is one piece.
http::BodyWriter EventStreamBody(std::shared_ptr<Invocation> invocation);

}  // namespace kelvin::service
