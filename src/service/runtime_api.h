#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "http/message.h"
#include "http/server.h"
#include "service/one_shot.h"
#include "service/response_pipe.h"

namespace kelvin::service {

// What a runtime is given to work on.
struct RuntimeEvent {
  std::string request_id;
  std::string payload;
  std::int64_t deadline_ms = 0;  // since the epoch
  std::string function_arn;
  std::string trace_id;
  std::string client_context;
  std::string cognito_identity;
};

// Largest response of a function, in bytes.
inline constexpr std::size_t kMaxResponseBytes = 6'291'556;

// The Runtime API of one environment: the HTTP calls, and the states in which each is allowed.
// Does no input or output of its own. Used from one thread.
class RuntimeApi {
 public:
  // Told what the runtime does, within the call; may call Deliver and Reset, but not destroy the
  // RuntimeApi.
  class Observer {
   public:
    virtual ~Observer() = default;
    // The runtime asks for work: its init is done, or its invoke.
    virtual void OnNext() = 0;
    // The event is about to go out, in a later turn than Deliver.
    virtual void OnDelivered() {}
    virtual void OnResponse(std::string payload) = 0;
    // It said that the invoke, or its init, failed. `error_type` is as Lambda would have it.
    virtual void OnError(std::string error_type, std::string body) = 0;
    virtual void OnInitError(std::string error_type, std::string body) = 0;
    // It sent more than kMaxResponseBytes.
    virtual void OnResponseTooLarge() = 0;
    // It begins to stream a response. Gives where to; null to have it collected, for OnResponse.
    virtual std::shared_ptr<ResponsePipe> OnStreamBegin(std::string_view content_type) = 0;
    // All that it streamed is in the pipe.
    virtual void OnStreamEnd() = 0;
    // It broke off with an error of its own, or with more than kMaxStreamedBytes.
    virtual void OnStreamError(std::string error_type, std::string body) = 0;
    // It hung up in the middle; most likely it is about to be gone.
    virtual void OnStreamBroken() = 0;
  };

  explicit RuntimeApi(Observer& observer);  // outlives the object
  RuntimeApi(const RuntimeApi&) = delete;
  RuntimeApi& operator=(const RuntimeApi&) = delete;
  ~RuntimeApi();  // as Reset

  // Another API on the same address: calls whose target begins with `prefix` go to `handler`.
  using Handler = std::function<boost::asio::awaitable<http::Response>(http::Request)>;
  void Mount(std::string_view prefix, Handler handler);

  boost::asio::awaitable<http::Response> Handle(http::Request request);
  // The same for a request whose body comes in pieces: for which IsStream says so.
  boost::asio::awaitable<http::Response> HandleStream(http::Request head, http::BodySource& body);
  static bool IsStream(const http::Request& head);
  // The answer to a request whose body is over the limit.
  http::Response HandleTooLarge(const http::Request& head);

  // Gives the runtime work; it must be waiting for some (kReady).
  void Deliver(std::shared_ptr<const RuntimeEvent> event);
  // A new process begins; what an old one still waits for is refused.
  void Reset();

  enum class State { kStarted, kInitError, kReady, kRunning, kResponding, kResponseSent };
  State state() const { return state_; }
  // Of the response, or the error, to the event that was given last: what has come of it.
  std::size_t response_bytes() const { return response_bytes_; }

 private:
  using Waiter = OneShot<http::Response>;
  struct Call {
    std::string_view request_id;
    std::string_view name;  // "response" or "error"
  };

  // What is left to say of a stream that is over.
  struct StreamEnd {
    enum class Kind { kComplete, kTooLarge, kBroken, kGone } kind = Kind::kComplete;
    std::string collected = {};
  };
  boost::asio::awaitable<StreamEnd> Receive(http::BodySource& body,
                                            std::shared_ptr<ResponsePipe> pipe);
  http::Response Conclude(StreamEnd end, const http::Headers& trailers, bool piped);

  boost::asio::awaitable<http::Response> Next();
  http::Response Dispatch(http::Request& request);
  http::Response InitError(http::Request& request);
  http::Response Invocation(const Call& call, http::Request& request);
  http::Response WrongState(std::string_view to) const;
  bool IsCurrent(std::string_view request_id) const;

  Observer& observer_;
  std::vector<std::pair<std::string_view, Handler>> mounted_;
  State state_ = State::kStarted;
  std::size_t response_bytes_ = 0;
  std::shared_ptr<const RuntimeEvent> event_;
  std::shared_ptr<Waiter> waiter_;
  std::shared_ptr<RuntimeApi*> self_;  // lets a stream see that this object is gone
};

}  // namespace kelvin::service
