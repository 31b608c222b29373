#pragma once

#include <concepts>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include <boost/json/monotonic_resource.hpp>

#include "kelvin/context.h"
#include "kelvin/handler_error.h"
#include "kelvin/json.h"

// From a handler as users write it to the one form that the runtime's loop knows. Only what depends
// on the user's types is a template here; the loop, the parser and the errors are compiled.
namespace kelvin {

// What the loop runs: JSON in, JSON out, both as bytes. An exception it lets out becomes an error
// document.
class RawHandler {
 public:
  virtual ~RawHandler() = default;
  // `payload` and the views in `context` hold until it returns.
  virtual std::expected<std::string, HandlerError> Invoke(std::string_view payload,
                                                          const Context& context) = 0;
};

// Makes the handler, in the init phase.
using RawHandlerFactory =
    std::function<std::expected<std::unique_ptr<RawHandler>, HandlerError>(const InitContext&)>;

namespace detail {

// The name people know a type by: "std::runtime_error", "orders::Rejected".
std::string TypeName(const std::type_info& type);

template <typename E>
concept HasMessage = requires(const E& error) { std::string(error.message); };

// HandlerError itself, a string, or anything with a `message`; its `type`, if it has one, or else
// the C++ type's name is what the caller sees as errorType.
template <typename E>
HandlerError ToHandlerError(E&& error) {
  using Plain = std::remove_cvref_t<E>;
  if constexpr (std::convertible_to<E, HandlerError>) {
    return std::forward<E>(error);
  } else if constexpr (std::convertible_to<E, std::string>) {
    return HandlerError{"Function.Error", std::string(std::forward<E>(error)), {}, {}};
  } else {
    static_assert(HasMessage<Plain>,
                  "a handler's error is kelvin::HandlerError, a string, or has a `message`");
    std::string type;
    if constexpr (requires { std::string(error.type); }) type = std::string(error.type);
    if (type.empty()) type = TypeName(typeid(Plain));
    return HandlerError{std::move(type), std::string(error.message), {}, {}};
  }
}

template <typename T>
struct ExpectedTraits {
  static constexpr bool kIsExpected = false;
  using Value = T;
};
template <typename T, typename E>
struct ExpectedTraits<std::expected<T, E>> {
  static constexpr bool kIsExpected = true;
  using Value = T;
};

// What a callable takes and gives.
template <typename F>
struct Signature : Signature<decltype(&F::operator())> {};
template <typename R, typename... A>
struct Signature<R(A...)> {
  static constexpr std::size_t kArity = sizeof...(A);
  template <std::size_t I>
  using Parameter = std::tuple_element_t<I, std::tuple<std::remove_cvref_t<A>..., void>>;
  using Value = typename ExpectedTraits<std::remove_cvref_t<R>>::Value;
};
template <typename R, typename... A>
struct Signature<R (*)(A...)> : Signature<R(A...)> {};
template <typename R, typename... A>
struct Signature<R (*)(A...) noexcept> : Signature<R(A...)> {};
template <typename C, typename R, typename... A>
struct Signature<R (C::*)(A...)> : Signature<R(A...)> {};
template <typename C, typename R, typename... A>
struct Signature<R (C::*)(A...) const> : Signature<R(A...)> {};
template <typename C, typename R, typename... A>
struct Signature<R (C::*)(A...) noexcept> : Signature<R(A...)> {};
template <typename C, typename R, typename... A>
struct Signature<R (C::*)(A...) const noexcept> : Signature<R(A...)> {};

// Room for a small event's JSON tree without a call to the allocator.
inline constexpr std::size_t kJsonStackBytes = 4096;

template <typename T>
std::expected<T, HandlerError> ReadEvent(std::string_view payload) {
  unsigned char room[kJsonStackBytes];
  boost::json::monotonic_resource memory(room, sizeof room);
  auto parsed = json::Parse(payload, &memory);
  if (!parsed) return std::unexpected(std::move(parsed.error()));
  T event{};
  json::Mismatch mismatch;
  if (!json::Read(*parsed, event, json::Path{}, mismatch)) {
    return std::unexpected(std::move(mismatch.error()));
  }
  return event;
}

template <typename T>
std::string WriteResult(const T& result) {
  unsigned char room[kJsonStackBytes];
  boost::json::monotonic_resource memory(room, sizeof room);
  return json::Serialize(boost::json::value_from(result, &memory));
}

template <typename Handler>
class HandlerAdapter final : public RawHandler {
  using Call = Signature<Handler>;
  static_assert(Call::kArity == 1 || Call::kArity == 2,
                "a handler takes the event and, if it wants, const kelvin::Context&");
  using Event = typename Call::template Parameter<0>;
  using Value = typename Call::Value;
  static constexpr bool kRaw = std::same_as<Event, std::string_view>;
  static_assert(!kRaw || std::same_as<Value, std::string>,
                "a raw handler takes std::string_view and gives std::string");

 public:
  explicit HandlerAdapter(Handler handler) : handler_(std::move(handler)) {}

  std::expected<std::string, HandlerError> Invoke(std::string_view payload,
                                                  const Context& context) override {
    if constexpr (kRaw) {
      return Answer(payload, context);
    } else {
      auto event = ReadEvent<Event>(payload);
      if (!event) return std::unexpected(std::move(event.error()));
      return Answer(std::move(*event), context);
    }
  }

 private:
  template <typename E>
  decltype(auto) CallHandler(E&& event, const Context& context) {
    if constexpr (Call::kArity == 2) {
      return std::invoke(handler_, std::forward<E>(event), context);
    } else {
      return std::invoke(handler_, std::forward<E>(event));
    }
  }

  template <typename E>
  std::expected<std::string, HandlerError> Answer(E&& event, const Context& context) {
    using Result = decltype(CallHandler(std::forward<E>(event), context));
    using Traits = ExpectedTraits<std::remove_cvref_t<Result>>;
    if constexpr (Traits::kIsExpected) {
      auto result = CallHandler(std::forward<E>(event), context);
      if (!result) return std::unexpected(ToHandlerError(std::move(result.error())));
      if constexpr (std::is_void_v<Value>) {
        return "null";
      } else {
        return Encode(std::move(*result));
      }
    } else if constexpr (std::is_void_v<Value>) {
      CallHandler(std::forward<E>(event), context);
      return "null";
    } else {
      return Encode(CallHandler(std::forward<E>(event), context));
    }
  }

  template <typename T>
  static std::string Encode(T&& value) {
    if constexpr (kRaw) {
      return std::forward<T>(value);
    } else {
      return WriteResult(value);
    }
  }

  Handler handler_;
};

}  // namespace detail

// A handler of any form that Run takes, as the loop wants it. A test uses it to see the JSON:
//   kelvin::Adapt(Greet)->Invoke(R"({"name":"Ada"})", kelvin::Context())
template <typename Handler>
std::unique_ptr<RawHandler> Adapt(Handler handler) {
  return std::make_unique<detail::HandlerAdapter<Handler>>(std::move(handler));
}

namespace detail {

// With or without InitContext, as it was written.
template <typename Factory>
auto CallFactory(Factory& factory, const InitContext& init) {
  if constexpr (std::invocable<Factory&, const InitContext&>) {
    return factory(init);
  } else {
    return factory();
  }
}

// From a factory as users write it, giving the handler or an expected.
template <typename Factory>
std::expected<std::unique_ptr<RawHandler>, HandlerError> MakeHandler(Factory& factory,
                                                                     const InitContext& init) {
  auto made = CallFactory(factory, init);
  if constexpr (ExpectedTraits<decltype(made)>::kIsExpected) {
    if (!made) return std::unexpected(ToHandlerError(std::move(made.error())));
    return Adapt(std::move(*made));
  } else {
    return Adapt(std::move(made));
  }
}

}  // namespace detail
}  // namespace kelvin
