#include "runtime/loop.h"

#include <fmt/format.h>

#include "runtime/exception.h"
#include "runtime/stream.h"

namespace kelvin::runtime {
namespace {

HandlerError ResponseTooLarge() {
  return HandlerError{
      "Function.ResponseSizeTooLarge",
      "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
      {},
      {}};
}

}  // namespace

void LogHandlerError(const Logger& log, LogLevel level, const HandlerError& error) {
  std::string text = fmt::format("{}: {}", error.type, error.message);
  for (const std::string& frame : error.stack_trace) text.append("\n    at ").append(frame);
  log.WriteMessage(level, text);
}

Error Loop::Serve(RawHandler& handler) {
  return ServeAll(handler);
}

Error Loop::Serve(RawStreamHandler& handler) {
  return ServeAll(handler);
}

template <typename Handler>
Error Loop::ServeAll(Handler& handler) {
  for (;;) {
    auto invocation = Next();
    if (!invocation) return std::move(invocation.error());
    const std::lock_guard lock(parts_.busy);
    auto served = ServeOne(handler, *invocation);
    if (!served) return std::move(served.error());
  }
}

std::expected<Invocation, Error> Loop::Next() {
  std::chrono::milliseconds pause = retry_.first_pause;
  for (int attempt = 1;; ++attempt) {
    auto invocation = parts_.api.Next();
    if (invocation) return invocation;
    Error& error = invocation.error();
    if (error.code == ErrorCode::kInternal || error.code == ErrorCode::kInvalidArgument) {
      return invocation;
    }
    if (attempt == retry_.attempts) {
      error.message =
          fmt::format("asked the Runtime API {} times for the next invocation and got none: {}",
                      attempt, error.message);
      return invocation;
    }
    parts_.clock.SleepFor(pause);
    pause *= 2;
  }
}

std::expected<void, Error> Loop::ServeOne(RawHandler& handler, const Invocation& invocation) {
  parts_.trace.Set(invocation.info.trace_id);
  const Context context(invocation.info, parts_.function, parts_.log, &parts_.clock);
  std::expected<std::string, HandlerError> result;
  try {
    result = handler.Invoke(invocation.payload, context);
  } catch (...) {
    const HandlerError error = DescribeCurrentException();
    if (parts_.hooks != nullptr) parts_.hooks->Served(context);
    return Fail(context, error, Origin::kHandlerException);
  }
  if (parts_.hooks != nullptr) parts_.hooks->Served(context);
  if (!result) return Fail(context, result.error(), Origin::kHandlerError);
  return Answer(context, *result);
}

std::expected<void, Error> Loop::ServeOne(RawStreamHandler& handler, const Invocation& invocation) {
  parts_.trace.Set(invocation.info.trace_id);
  const Context context(invocation.info, parts_.function, parts_.log, &parts_.clock);
  ApiStream response(parts_.api, context.request_id());
  std::expected<void, HandlerError> result;
  Origin origin = Origin::kHandlerError;
  try {
    result = handler.Invoke(invocation.payload, context, response);
  } catch (...) {
    result = std::unexpected(DescribeCurrentException());
    origin = Origin::kHandlerException;
  }
  if (parts_.hooks != nullptr) parts_.hooks->Served(context);
  if (result) return GoOnUnlessFatal(context, "response", response.Finish());
  if (!response.begun()) return Fail(context, result.error(), origin);
  LogHandlerError(context.log(), LogLevel::kError, result.error());
  return GoOnUnlessFatal(context, "error",
                         response.Fail(MakeErrorDocument(result.error(), origin)));
}

std::expected<void, Error> Loop::Answer(const Context& context, std::string_view response) {
  auto posted = parts_.api.PostResponse(context.request_id(), response);
  if (!posted && posted.error().code == ErrorCode::kResourceExhausted) {
    return Fail(context, ResponseTooLarge(), Origin::kHandlerError);
  }
  return GoOnUnlessFatal(context, "response", std::move(posted));
}

std::expected<void, Error> Loop::Fail(const Context& context, const HandlerError& error,
                                      Origin origin) {
  LogHandlerError(context.log(), LogLevel::kError, error);
  return GoOnUnlessFatal(
      context, "error",
      parts_.api.PostError(context.request_id(), MakeErrorDocument(error, origin)));
}

std::expected<void, Error> Loop::GoOnUnlessFatal(const Context& context, std::string_view what,
                                                 std::expected<void, Error> posted) {
  if (posted || posted.error().code == ErrorCode::kInternal) return posted;
  context.log().Error("the {} was not taken: {}", what, posted.error().message);
  return {};
}

}  // namespace kelvin::runtime
