#include "service/runtime_api.h"

#include <optional>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/encoding.h"

namespace kelvin::service {

using boost::asio::awaitable;

namespace {

using State = RuntimeApi::State;

constexpr std::string_view kNextPath = "/2018-06-01/runtime/invocation/next";
constexpr std::string_view kInvocationPrefix = "/2018-06-01/runtime/invocation/";
constexpr std::string_view kInitErrorPath = "/2018-06-01/runtime/init/error";
constexpr std::string_view kPingPath = "/2018-06-01/ping";

std::string_view StateName(State state) {
  switch (state) {
    case State::kStarted:
      return "Started";
    case State::kInitError:
      return "InitError";
    case State::kReady:
      return "Ready";
    case State::kRunning:
      return "Running";
    case State::kResponding:
      return "Responding";
    case State::kResponseSent:
      return "ResponseSent";
  }
  return "";
}

http::Response Answer(int status, std::string body) {
  http::Response response;
  response.status = status;
  response.headers.Add("Content-Type", "application/json");
  response.body = std::move(body);
  return response;
}

http::Response Accepted() {
  return Answer(202, "{\"status\":\"OK\"}\n");
}

http::Response Refusal(int status, std::string_view type, std::string_view message) {
  return Answer(status, boost::json::serialize(
                            boost::json::object{{"errorMessage", message}, {"errorType", type}}));
}

http::Response TooLarge() {
  return Refusal(
      413, "RequestEntityTooLarge",
      fmt::format("Exceeded maximum allowed payload size ({} bytes).", kMaxResponseBytes));
}

http::Response Pong() {
  http::Response response;
  response.status = 200;
  response.headers.Add("Content-Type", "text/plain");
  response.body = "pong";
  return response;
}

http::Response EventResponse(const RuntimeEvent& event) {
  http::Response response = Answer(200, event.payload);
  const auto add = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) response.headers.Add(name, value);
  };
  add("Lambda-Runtime-Aws-Request-Id", event.request_id);
  add("Lambda-Runtime-Deadline-Ms", std::to_string(event.deadline_ms));
  add("Lambda-Runtime-Invoked-Function-Arn", event.function_arn);
  add("Lambda-Runtime-Trace-Id", event.trace_id);
  add("Lambda-Runtime-Client-Context", event.client_context);
  add("Lambda-Runtime-Cognito-Identity", event.cognito_identity);
  return response;
}

// (Runtime|Function)\.[A-Z][A-Za-z]+, else Function.Unknown.
std::string ErrorType(std::string_view given) {
  for (const std::string_view prefix : {"Runtime.", "Function."}) {
    if (!given.starts_with(prefix)) continue;
    const auto name = given.substr(prefix.size());
    const bool valid =
        name.size() >= 2 && name[0] >= 'A' && name[0] <= 'Z' &&
        name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == name.npos;
    if (valid) return std::string(given);
  }
  return "Function.Unknown";
}

std::string ErrorTypeOf(const http::Request& request) {
  return ErrorType(request.headers.Get("Lambda-Runtime-Function-Error-Type"));
}

std::string_view PathOf(std::string_view target) {
  return target.substr(0, target.find('?'));
}

}  // namespace

RuntimeApi::RuntimeApi(Observer& observer)
    : observer_(observer), self_(std::make_shared<RuntimeApi*>(this)) {}

RuntimeApi::~RuntimeApi() {
  Reset();
}

void RuntimeApi::Mount(std::string_view prefix, Handler handler) {
  mounted_.emplace_back(prefix, std::move(handler));
}

boost::asio::awaitable<http::Response> RuntimeApi::Handle(http::Request request) {
  if (PathOf(request.target) == kNextPath && request.method == "GET") co_return co_await Next();
  for (const auto& [prefix, handler] : mounted_) {
    // This object may be gone when the wait ends.
    if (request.target.starts_with(prefix)) co_return co_await handler(std::move(request));
  }
  co_return Dispatch(request);
}

boost::asio::awaitable<http::Response> RuntimeApi::Next() {
  switch (state_) {
    case State::kInitError:
      co_return WrongState("Ready");
    case State::kStarted:
    case State::kResponseSent:
      state_ = State::kReady;
      event_.reset();
      observer_.OnNext();
      break;
    case State::kResponding:
      co_return WrongState("Ready");
    case State::kReady:
    case State::kRunning:
      break;
  }
  // In Running the answer to an earlier call was lost: the event comes again.
  if (state_ == State::kRunning) co_return EventResponse(*event_);
  if (waiter_) waiter_->Set(WrongState("Ready"));
  const auto waiter = std::make_shared<Waiter>();
  waiter_ = waiter;
  // This object may be gone when the wait ends.
  const std::weak_ptr<RuntimeApi*> self = self_;
  http::Response response = co_await waiter->Wait();
  if (response.status == 200 && !self.expired()) observer_.OnDelivered();
  co_return response;
}

void RuntimeApi::Deliver(std::shared_ptr<const RuntimeEvent> event) {
  event_ = std::move(event);
  response_bytes_ = 0;
  state_ = State::kRunning;
  if (const auto waiter = std::exchange(waiter_, nullptr)) waiter->Set(EventResponse(*event_));
}

void RuntimeApi::Reset() {
  state_ = State::kStarted;
  event_.reset();
  // A waiter must always be told: it keeps itself alive until then.
  if (const auto waiter = std::exchange(waiter_, nullptr)) waiter->Set(WrongState("Ready"));
}

http::Response RuntimeApi::Dispatch(http::Request& request) {
  const std::string_view path = PathOf(request.target);
  if (path == kPingPath && request.method == "GET") return Pong();
  if (request.method == "POST") {
    if (path == kInitErrorPath) return InitError(request);
    if (path.starts_with(kInvocationPrefix)) {
      const auto rest = path.substr(kInvocationPrefix.size());
      const auto slash = rest.find('/');
      const Call call{rest.substr(0, slash),
                      slash == rest.npos ? std::string_view{} : rest.substr(slash + 1)};
      if (call.name == "response" || call.name == "error") return Invocation(call, request);
    }
  }
  return Refusal(404, "NotFound", fmt::format("no such call: {} {}", request.method, path));
}

http::Response RuntimeApi::InitError(http::Request& request) {
  if (state_ != State::kStarted) return WrongState("InitError");
  state_ = State::kInitError;
  observer_.OnInitError(ErrorTypeOf(request), std::move(request.body));
  return Accepted();
}

http::Response RuntimeApi::Invocation(const Call& call, http::Request& request) {
  if (!IsCurrent(call.request_id)) return Refusal(400, "InvalidRequestID", "Invalid request ID");
  const bool is_error = call.name == "error";
  if (state_ != State::kRunning) {
    return WrongState(is_error ? "InvocationErrorResponse" : "InvocationResponse");
  }
  const auto mode = request.headers.Get("Lambda-Runtime-Function-Response-Mode");
  if (!is_error && !mode.empty() && mode != "streaming") {
    return Refusal(400, "InvalidFunctionResponseMode",
                   "Invalid Lambda-Runtime-Function-Response-Mode: expected streaming");
  }
  if (request.body.size() > kMaxResponseBytes) return HandleTooLarge(request);
  state_ = State::kResponseSent;
  response_bytes_ = request.body.size();
  if (is_error) {
    observer_.OnError(ErrorTypeOf(request), std::move(request.body));
  } else {
    observer_.OnResponse(std::move(request.body));
  }
  return Accepted();
}

bool RuntimeApi::IsStream(const http::Request& head) {
  return head.method == "POST" && PathOf(head.target).ends_with("/response") &&
         head.headers.Get("Lambda-Runtime-Function-Response-Mode") == "streaming";
}

awaitable<http::Response> RuntimeApi::HandleStream(http::Request head, http::BodySource& body) {
  std::string_view id = PathOf(head.target).substr(kInvocationPrefix.size());
  id = id.substr(0, id.find('/'));
  if (!PathOf(head.target).starts_with(kInvocationPrefix) || !IsCurrent(id)) {
    co_return Refusal(400, "InvalidRequestID", "Invalid request ID");
  }
  if (state_ != State::kRunning) co_return WrongState("InvocationResponse");
  state_ = State::kResponding;
  const auto pipe = observer_.OnStreamBegin(head.headers.Get("Content-Type"));
  StreamEnd end = co_await Receive(body, pipe);
  if (end.kind == StreamEnd::Kind::kGone) {
    co_return Refusal(403, "InvalidStateTransition", "the invocation is over");
  }
  co_return Conclude(std::move(end), body.trailers(), pipe != nullptr);
}

// After each wait this object, or the invocation, may be gone.
awaitable<RuntimeApi::StreamEnd> RuntimeApi::Receive(http::BodySource& body,
                                                     std::shared_ptr<ResponsePipe> pipe) {
  const std::weak_ptr<RuntimeApi*> self = self_;
  const auto event = event_;
  const auto is_over = [&] { return self.expired() || event_ != event; };
  StreamEnd end;
  const std::size_t most = pipe != nullptr ? kMaxStreamedBytes : kMaxResponseBytes;
  for (;;) {
    auto piece = co_await body.Next();
    end.kind = StreamEnd::Kind::kGone;
    if (is_over()) co_return end;
    end.kind = StreamEnd::Kind::kBroken;
    if (!piece) co_return end;
    end.kind = StreamEnd::Kind::kComplete;
    if (piece->empty()) co_return end;
    response_bytes_ += piece->size();
    end.kind = StreamEnd::Kind::kTooLarge;
    if (response_bytes_ > most) co_return end;
    if (pipe == nullptr) {
      end.collected += *piece;
      continue;
    }
    // A caller that has gone does not stop the function.
    (void)co_await pipe->Push(*piece);
    end.kind = StreamEnd::Kind::kGone;
    if (is_over()) co_return end;
  }
}

http::Response RuntimeApi::Conclude(StreamEnd end, const http::Headers& trailers, bool piped) {
  state_ = State::kResponseSent;
  if (end.kind == StreamEnd::Kind::kBroken) {
    observer_.OnStreamBroken();
    return Refusal(400, "TruncatedResponse", "the response broke off");
  }
  if (end.kind == StreamEnd::Kind::kTooLarge) {
    if (piped) {
      observer_.OnStreamError("Function.ResponseSizeTooLarge", {});
    } else {
      observer_.OnResponseTooLarge();
    }
    return TooLarge();
  }
  const auto type = trailers.Get("Lambda-Runtime-Function-Error-Type");
  if (!type.empty()) {
    auto body = Base64Decode(trailers.Get("Lambda-Runtime-Function-Error-Body"));
    observer_.OnStreamError(ErrorType(type), body ? std::move(*body) : std::string());
  } else if (piped) {
    observer_.OnStreamEnd();
  } else {
    observer_.OnResponse(std::move(end.collected));
  }
  return Accepted();
}

http::Response RuntimeApi::HandleTooLarge(const http::Request& head) {
  const std::string_view path = PathOf(head.target);
  const bool for_current = event_ && path.starts_with(kInvocationPrefix) &&
                           path.substr(kInvocationPrefix.size()).starts_with(event_->request_id);
  if (for_current && state_ == State::kRunning) {
    state_ = State::kResponseSent;
    observer_.OnResponseTooLarge();
  }
  return TooLarge();
}

http::Response RuntimeApi::WrongState(std::string_view to) const {
  return Refusal(403, "InvalidStateTransition",
                 fmt::format("State transition from {} to {} failed for runtime. Error: State "
                             "transition is not allowed",
                             StateName(state_), to));
}

bool RuntimeApi::IsCurrent(std::string_view request_id) const {
  return event_ && event_->request_id == request_id;
}

}  // namespace kelvin::service
