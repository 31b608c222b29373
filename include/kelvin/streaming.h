#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kelvin/context.h"
#include "kelvin/handler.h"
#include "kelvin/handler_error.h"
#include "kelvin/run.h"

// Responses that are sent while they are made: the caller has the first byte before the last one
// exists, and up to 200 MB instead of 6.
namespace kelvin {

// How an HTTP response begins, for callers of a function URL.
struct HttpHead {
  int status_code = 200;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::vector<std::string> cookies = {};  // each as in Set-Cookie
};

// Where a handler writes its response. Only within the handler, from its thread.
class ResponseStream {
 public:
  virtual ~ResponseStream() = default;
  // Both before the first Write; later they do nothing. Without a head the type is
  // application/octet-stream; with one it is among the headers.
  virtual void SetContentType(std::string_view type) = 0;
  virtual void SetHead(const HttpHead& head) = 0;
  // Sends a piece at once, and waits while the caller's side cannot take it in. Fails when Lambda
  // takes no more: with Function.ResponseSizeTooLarge beyond 200 MB. Then nothing more can be sent,
  // and the handler had best return the error.
  virtual std::expected<void, HandlerError> Write(std::string_view bytes) = 0;
};

// Keeps what is written, for tests of handlers.
class CollectedResponse final : public ResponseStream {
 public:
  void SetContentType(std::string_view type) override { content_type = type; }
  void SetHead(const HttpHead& given) override { head = given; }
  std::expected<void, HandlerError> Write(std::string_view bytes) override {
    body += bytes;
    return {};
  }

  std::string content_type;
  std::optional<HttpHead> head;
  std::string body;
};

// What the loop runs. An exception it lets out becomes an error document.
class RawStreamHandler {
 public:
  virtual ~RawStreamHandler() = default;
  virtual std::expected<void, HandlerError> Invoke(std::string_view payload, const Context& context,
                                                   ResponseStream& response) = 0;
};
using RawStreamHandlerFactory =
    std::function<std::expected<std::unique_ptr<RawStreamHandler>, HandlerError>(
        const InitContext&)>;

namespace detail {

template <typename Handler>
class StreamHandlerAdapter final : public RawStreamHandler {
  using Call = Signature<Handler>;
  static_assert(Call::kArity == 2 || Call::kArity == 3,
                "a streaming handler takes the event, const kelvin::Context& if it wants, and "
                "kelvin::ResponseStream&");
  using Event = typename Call::template Parameter<0>;
  static_assert(std::is_void_v<typename Call::Value>,
                "a streaming handler writes its response; it gives void or std::expected<void, E>");

 public:
  explicit StreamHandlerAdapter(Handler handler) : handler_(std::move(handler)) {}

  std::expected<void, HandlerError> Invoke(std::string_view payload, const Context& context,
                                           ResponseStream& response) override {
    if constexpr (std::same_as<Event, std::string_view>) {
      return Answer(payload, context, response);
    } else {
      auto event = ReadEvent<Event>(payload);
      if (!event) return std::unexpected(std::move(event.error()));
      return Answer(std::move(*event), context, response);
    }
  }

 private:
  template <typename E>
  decltype(auto) CallHandler(E&& event, const Context& context, ResponseStream& response) {
    if constexpr (Call::kArity == 3) {
      return std::invoke(handler_, std::forward<E>(event), context, response);
    } else {
      return std::invoke(handler_, std::forward<E>(event), response);
    }
  }

  template <typename E>
  std::expected<void, HandlerError> Answer(E&& event, const Context& context,
                                           ResponseStream& response) {
    using Result = decltype(CallHandler(std::forward<E>(event), context, response));
    if constexpr (ExpectedTraits<std::remove_cvref_t<Result>>::kIsExpected) {
      auto result = CallHandler(std::forward<E>(event), context, response);
      if (!result) return std::unexpected(ToHandlerError(std::move(result.error())));
    } else {
      CallHandler(std::forward<E>(event), context, response);
    }
    return {};
  }

  Handler handler_;
};

}  // namespace detail

// A streaming handler of any form that RunStreaming takes, as the loop wants it. A test uses it:
//   kelvin::CollectedResponse response;
//   kelvin::AdaptStream(Export)->Invoke(R"({"rows":3})", kelvin::Context(), response);
template <typename Handler>
std::unique_ptr<RawStreamHandler> AdaptStream(Handler handler) {
  return std::make_unique<detail::StreamHandlerAdapter<Handler>>(std::move(handler));
}

// The compiled heart of RunStreaming and RunStreamingFactory, as RunRaw is of Run.
int RunRawStreaming(const RawStreamHandlerFactory& factory, const OnShutdown& on_shutdown = {});

// Serves invocations with a handler that writes its response, which is one of
//   void handler(Event, kelvin::ResponseStream&)         Event as for Run
//   void handler(Event, const kelvin::Context&, kelvin::ResponseStream&)
// and may give std::expected<void, E>, E as for Run. A failure before the first Write is an error
// like any other; a later one reaches the caller behind what was written.
//
//   int main() { return kelvin::RunStreaming(Export); }
template <typename Handler>
int RunStreaming(Handler handler, const OnShutdown& on_shutdown = {}) {
  return RunRawStreaming([&](const InitContext&) { return AdaptStream(std::move(handler)); },
                         on_shutdown);
}

// The same, with the handler made in Lambda's init phase, as RunFactory does.
template <typename Factory>
int RunStreamingFactory(Factory factory, const OnShutdown& on_shutdown = {}) {
  return RunRawStreaming(
      [&](const InitContext& init)
          -> std::expected<std::unique_ptr<RawStreamHandler>, HandlerError> {
        auto made = detail::CallFactory(factory, init);
        if constexpr (detail::ExpectedTraits<decltype(made)>::kIsExpected) {
          if (!made) return std::unexpected(detail::ToHandlerError(std::move(made.error())));
          return AdaptStream(std::move(*made));
        } else {
          return AdaptStream(std::move(made));
        }
      },
      on_shutdown);
}

}  // namespace kelvin
