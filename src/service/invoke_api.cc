#include "service/invoke_api.h"

#include <utility>

#include <fmt/format.h>

#include "base/encoding.h"
#include "service/function_rules.h"
#include "service/json_check.h"

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

http::Response ResponseTo(InvokeOutcome outcome, const RuntimeEvent& event) {
  if (outcome.kind == InvokeOutcome::Kind::kServiceError) {
    return ErrorResponse({ApiErrorKind::kService, std::move(outcome.payload)});
  }
  auto response = JsonResponse(200, std::move(outcome.payload));
  response.headers.Add("X-Amz-Executed-Version", "$LATEST");
  if (outcome.kind == InvokeOutcome::Kind::kFunctionError) {
    response.headers.Add("X-Amz-Function-Error", "Unhandled");
  }
  if (!outcome.log_tail.empty()) {
    response.headers.Add("X-Amz-Log-Result", Base64Encode(outcome.log_tail));
  }
  response.headers.Add("X-Amzn-Trace-Id", event.trace_id);
  return response;
}

StoredEvent EventOf(const std::string& function, RuntimeEvent& event) {
  StoredEvent stored;
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
  operations["Invoke"] = [this](ApiCall call) { return Invoke(std::move(call)); };
}

awaitable<http::Response> InvokeApi::Invoke(ApiCall asked) {
  auto call = Read(asked.route, asked.request, asked.request_id);
  if (!call) co_return ErrorResponse(call.error());
  if (call->type == Type::kDryRun) co_return Empty(204);
  if (call->type == Type::kEvent) {
    auto accepted =
        co_await parts_.events.Accept(EventOf(call->function, *call->invocation->event));
    if (!accepted) co_return ErrorResponse(ServiceError(accepted.error()));
    co_return Empty(202);
  }
  const auto submitted = parts_.scheduler.Submit(call->function, call->invocation);
  if (!submitted) co_return ErrorResponse(submitted.error());
  InvokeOutcome outcome = co_await call->invocation->outcome.Wait();
  co_return ResponseTo(std::move(outcome), *call->invocation->event);
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
  const std::size_t most = call.type == Type::kEvent ? kMostEventBytes : kMaxInvokeBytes;
  if (request.body.size() >= most) return std::unexpected(TooLarge(most));
  auto event = std::make_shared<RuntimeEvent>();
  auto function = FunctionOf(route, event->function_arn);
  if (!function) return std::unexpected(std::move(function.error()));
  if (request.body.empty()) request.body = "{}";
  if (const auto valid = CheckJson(request.body); !valid) {
    return std::unexpected(
        ApiError{ApiErrorKind::kInvalidRequestContent,
                 fmt::format("Could not parse request body into json: {}", valid.error())});
  }
  auto context = ClientContext(request.headers.Get("X-Amz-Client-Context"));
  if (!context) return std::unexpected(std::move(context.error()));
  event->request_id = request_id;
  event->payload = std::move(request.body);
  event->trace_id = TraceId(request.headers.Get("X-Amzn-Trace-Id"));
  event->client_context = std::move(*context);
  call.function = std::move(*function);
  call.invocation = std::make_shared<Invocation>();
  call.invocation->event = std::move(event);
  if (request.headers.Get("X-Amz-Log-Type") == "Tail") call.invocation->tail = LogTail::kYes;
  return call;
}

std::expected<std::string, ApiError> InvokeApi::FunctionOf(const Route& route,
                                                           std::string& arn) const {
  auto named = ParseFunctionName(route.InPath("FunctionName"), parts_.place);
  if (!named) return std::unexpected(std::move(named.error()));
  std::string qualifier = std::move(named->qualifier);
  if (const auto asked = route.query.find("Qualifier"); asked != route.query.end()) {
    if (!qualifier.empty() && qualifier != asked->second) {
      return std::unexpected(InvalidParameter(
          "The derived qualifier from the function name does not match the specified qualifier."));
    }
    qualifier = asked->second;
  }
  arn = FunctionArn(parts_.place, named->name, qualifier);
  const bool found =
      parts_.registry.Find(named->name) && (qualifier.empty() || qualifier == "$LATEST");
  if (!found) return std::unexpected(FunctionNotFound(arn));
  return std::move(named->name);
}

// The caller's, or a new one that nobody samples.
std::string InvokeApi::TraceId(std::string_view given) {
  if (!given.empty()) return std::string(given);
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(parts_.clock.WallNow().time_since_epoch());
  return fmt::format("Root=1-{:08x}-{};Parent={};Sampled=0", now.count(), NewHex(parts_.random, 24),
                     NewHex(parts_.random, 16));
}

}  // namespace kelvin::service
