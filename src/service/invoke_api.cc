#include "service/invoke_api.h"

#include <utility>

#include <fmt/format.h>

#include "base/encoding.h"
#include "service/alias_api.h"
#include "service/control.h"
#include "service/function_rules.h"
#include "service/json_check.h"
#include "service/stream_api.h"
#include "service/trace_id.h"

namespace kelvin::service {

using boost::asio::awaitable;

namespace {

constexpr std::size_t kMostEventBytes = 1'048'576;
constexpr std::size_t kMostContextBytes = 3583;

ApiError TooLarge(std::size_t limit) {
  return {
      ApiErrorKind::kRequestTooLarge,
      fmt::format("Request must be smaller than {} bytes for the InvokeFunction operation", limit)};
}

// Invoke names $LATEST where its caller names nothing.
ApiError NothingToInvoke(const Place& place, const FunctionName& named) {
  return FunctionNotFound(
      FunctionArn(place, named.name, named.qualifier.empty() ? "$LATEST" : named.qualifier));
}

std::expected<std::string, ApiError> ClientContext(std::string_view header) {
  if (header.empty()) return std::string();
  if (header.size() > kMostContextBytes) {
    return std::unexpected(InvalidParameter(
        fmt::format("Client context must be no more than {} bytes.", kMostContextBytes)));
  }
  auto decoded = Base64Decode(header);
  if (!decoded || !CheckJson(*decoded)) {
    return std::unexpected(ApiError{ApiErrorKind::kInvalidRequestContent,
                                    "Client context must be a valid Base64-encoded JSON object."});
  }
  return std::move(*decoded);
}

http::Response ResponseTo(InvokeOutcome outcome, const RuntimeEvent& event,
                          const std::string& version) {
  if (outcome.kind == InvokeOutcome::Kind::kServiceError) {
    return ErrorResponse({ApiErrorKind::kService, std::move(outcome.payload)});
  }
  auto response = JsonResponse(200, std::move(outcome.payload));
  response.headers.Add("X-Amz-Executed-Version", version);
  if (outcome.kind == InvokeOutcome::Kind::kFunctionError) {
    response.headers.Add("X-Amz-Function-Error", "Unhandled");
  }
  if (!outcome.log_tail.empty()) {
    response.headers.Add("X-Amz-Log-Result", Base64Encode(outcome.log_tail));
  }
  response.headers.Add("X-Amzn-Trace-Id", event.trace_id);
  return response;
}

StoredEvent EventOf(const std::string& function, const std::string& qualifier,
                    RuntimeEvent& event) {
  StoredEvent stored;
  stored.qualifier = qualifier;
  stored.request_id = event.request_id;
  stored.function = function;
  stored.payload = std::move(event.payload);
  stored.client_context = std::move(event.client_context);
  stored.trace_id = event.trace_id;
  return stored;
}

http::Response Empty(int status) {
  http::Response response;
  response.status = status;
  return response;
}

}  // namespace

InvokeApi::InvokeApi(const Parts& parts) : parts_(parts) {}

void InvokeApi::AddTo(Operations& operations) {
  operations["Invoke"] = WholeAnswer([this](ApiCall call) { return Invoke(std::move(call)); });
  operations["InvokeWithResponseStream"] = [this](ApiCall call) {
    return InvokeStream(std::move(call));
  };
}

awaitable<http::Response> InvokeApi::Invoke(ApiCall asked) {
  auto call = Read(asked.route, asked.request, asked.request_id);
  if (!call) co_return ErrorResponse(call.error());
  if (call->type == Type::kDryRun) co_return Empty(204);
  if (call->type == Type::kEvent) {
    StoredEvent event = EventOf(call->function, call->qualifier, *call->invocation->event);
    const auto accepted = co_await parts_.events.Accept(std::move(event));
    if (!accepted) co_return ErrorResponse(ServiceError(accepted.error()));
    co_return Empty(202);
  }
  const auto submitted = parts_.scheduler.Submit(call->function, call->version, call->invocation);
  if (!submitted) co_return ErrorResponse(submitted.error());
  InvokeOutcome outcome = co_await call->invocation->outcome.Wait();
  co_return ResponseTo(std::move(outcome), *call->invocation->event, call->version);
}

awaitable<http::Reply> InvokeApi::InvokeStream(ApiCall asked) {
  auto call = Read(asked.route, asked.request, asked.request_id);
  if (!call) co_return ErrorResponse(call.error());
  if (call->type == Type::kDryRun) co_return Empty(204);
  if (call->type == Type::kEvent) {
    co_return ErrorResponse(
        ConstraintError("Event", "invocationType",
                        "Member must satisfy enum value set: [RequestResponse, DryRun]"));
  }
  call->invocation->pipe = std::make_shared<ResponsePipe>();
  const auto submitted = parts_.scheduler.Submit(call->function, call->version, call->invocation);
  if (!submitted) co_return ErrorResponse(submitted.error());
  http::Response head;
  head.status = 200;
  head.headers.Add("Content-Type", "application/vnd.amazon.eventstream");
  head.headers.Add("X-Amz-Executed-Version", call->version);
  head.headers.Add("X-Amzn-Trace-Id", call->invocation->event->trace_id);
  http::Reply reply(std::move(head), EventStreamBody(call->invocation));
  co_return reply;
}

std::expected<InvokeApi::Call, ApiError> InvokeApi::Read(const Route& route, http::Request& request,
                                                         const std::string& request_id) {
  Call call;
  const std::string_view type = request.headers.Get("X-Amz-Invocation-Type");
  if (type == "Event") {
    call.type = Type::kEvent;
  } else if (type == "DryRun") {
    call.type = Type::kDryRun;
  } else if (!type.empty() && type != "RequestResponse") {
    return std::unexpected(
        ConstraintError(type, "invocationType",
                        "Member must satisfy enum value set: [RequestResponse, Event, DryRun]"));
  }
  const std::string_view tail = request.headers.Get("X-Amz-Log-Type");
  if (!tail.empty() && tail != "None" && tail != "Tail") {
    return std::unexpected(
        ConstraintError(tail, "logType", "Member must satisfy enum value set: [None, Tail]"));
  }
  const std::size_t most = call.type == Type::kEvent ? kMostEventBytes : kMaxInvokeBytes;
  if (request.body.size() >= most) return std::unexpected(TooLarge(most));
  auto event = std::make_shared<RuntimeEvent>();
  const auto target = TargetOf(parts_.registry, parts_.place, route, NothingToInvoke);
  if (!target) return std::unexpected(target.error());
  call.function = target->record->name();
  call.qualifier = target->qualifier;
  call.version = ChooseVersion(*target, parts_.random).version;
  event->function_arn = FunctionArn(parts_.place, call.function, call.qualifier);
  if (request.body.empty()) request.body = "{}";
  if (const auto valid = CheckJson(request.body); !valid) {
    return std::unexpected(
        ApiError{ApiErrorKind::kInvalidRequestContent,
                 fmt::format("Could not parse request body into json: Could not parse payload into "
                             "json: {}",
                             valid.error())});
  }
  auto context = ClientContext(request.headers.Get("X-Amz-Client-Context"));
  if (!context) return std::unexpected(std::move(context.error()));
  event->request_id = request_id;
  event->payload = std::move(request.body);
  event->trace_id = TraceId(request.headers.Get("X-Amzn-Trace-Id"), parts_.clock, parts_.random);
  event->client_context = std::move(*context);
  call.invocation = std::make_shared<Invocation>();
  call.invocation->event = std::move(event);
  if (tail == "Tail") call.invocation->tail = LogTail::kYes;
  return call;
}

}  // namespace kelvin::service
