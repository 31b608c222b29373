#include "service/extensions.h"

#include <algorithm>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "service/extension_request.h"

namespace kelvin::service {

namespace json = boost::json;
using boost::asio::awaitable;

namespace {

using State = Extensions::State;

constexpr std::string_view kInvoke = "INVOKE";
constexpr std::string_view kShutdown = "SHUTDOWN";
constexpr std::string_view kIdHeader = "Lambda-Extension-Identifier";
constexpr std::string_view kNotAllowed = "State transition is not allowed";

http::Response Answer(int status, const json::object& body) {
  return {status, {{"Content-Type", "application/json"}}, json::serialize(body)};
}

http::Response Forbidden(std::string_view type, std::string_view message) {
  return Answer(403, {{"errorMessage", message}, {"errorType", type}});
}

http::Response WrongState(State from, std::string_view to, std::string_view extension) {
  return Forbidden("Extension.InvalidExtensionState",
                   fmt::format("State transition from {} to {} failed for extension {}. Error: {}",
                               NameOf(from), to, extension, kNotAllowed));
}

http::Response NoSuchCall(const http::Request& request) {
  return Answer(
      404, {{"errorMessage", fmt::format("no such call: {} {}", request.method, request.target)},
            {"errorType", "NotFound"}});
}

bool IsUuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-'
             : std::string_view("0123456789abcdefABCDEF").find(text[i]) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

bool AsksForAccount(const http::Request& request) {
  std::string_view features = request.headers.Get("Lambda-Extension-Accept-Feature");
  while (!features.empty()) {
    const auto end = std::min(features.find(','), features.size());
    auto feature = features.substr(0, end);
    features.remove_prefix(std::min(end + 1, features.size()));
    feature.remove_prefix(std::min(feature.find_first_not_of(' '), feature.size()));
    feature = feature.substr(0, feature.find(' '));
    if (feature == "accountId") return true;
  }
  return false;
}

bool Listens(const Extensions::Status& status, std::string_view event) {
  return std::ranges::find(status.events, event) != status.events.end();
}

}  // namespace

std::string_view NameOf(Extensions::State state) {
  switch (state) {
    case State::kStarted:
      return "Started";
    case State::kRegistered:
      return "Registered";
    case State::kReady:
      return "Ready";
    case State::kRunning:
      return "Running";
    case State::kInitError:
      return "InitError";
    case State::kExitError:
      return "ExitError";
    case State::kLaunchError:
      return "LaunchError";
    case State::kExited:
      return "Exited";
  }
  return {};
}

Extensions::Extensions(Observer& observer, Random& random, Function function)
    : observer_(observer), random_(random), function_(std::move(function)) {}

Extensions::~Extensions() {
  Reset({});
}

void Extensions::Reset(const std::vector<std::string>& external) {
  for (const auto& extension : all_) {
    // A waiter must always be told: it keeps itself alive until then.
    if (const auto waiter = std::exchange(extension->waiter, nullptr)) {
      waiter->Set(WrongState(extension->status.state, "Running", extension->id));
    }
  }
  all_.clear();
  open_ = true;
  for (const std::string& name : external) {
    all_.push_back(std::make_unique<Extension>(
        Extension{.status = {.name = name}, .id = NewUuid(random_), .external = true}));
  }
}

awaitable<http::Response> Extensions::Handle(http::Request request) {
  std::string_view call = request.target;
  call.remove_prefix(kPrefix.size());
  call = call.substr(0, call.find('?'));
  if (call == "event/next" && request.method == "GET") co_return co_await Next(request);
  if (request.method == "POST") {
    if (call == "register") co_return Register(request);
    if (call == "init/error") co_return Fail(request, State::kInitError);
    if (call == "exit/error") co_return Fail(request, State::kExitError);
  }
  co_return NoSuchCall(request);
}

http::Response Extensions::Register(const http::Request& request) {
  const std::string name(request.headers.Get("Lambda-Extension-Name"));
  if (name.empty()) return Forbidden("Extension.InvalidExtensionName", "Empty extension name");
  auto events = ParseRegistration(request.body);
  if (!events) return Forbidden("InvalidRequestFormat", events.error());
  const Extension* const known = Find(name);
  const bool external = known != nullptr && known->external;
  for (const std::string& event : *events) {
    const bool valid = event == kInvoke || event == kShutdown;
    if (valid && (external || event == kInvoke)) continue;
    return Forbidden("Extension.InvalidEventType",
                     fmt::format("{}: {}", event,
                                 valid ? "ShutdownEventNotSupportedForInternalExtension"
                                       : "ErrorInvalidEventType"));
  }
  auto placed = Place(name);
  if (!placed) return std::move(placed.error());
  Extension& extension = **placed;
  extension.status.state = State::kRegistered;
  extension.status.events = std::move(*events);
  json::object body{{"functionName", function_.name},
                    {"functionVersion", function_.version},
                    {"handler", function_.handler}};
  if (AsksForAccount(request)) body["accountId"] = function_.account_id;
  http::Response response = Answer(200, body);
  response.headers.Add(kIdHeader, extension.id);
  observer_.OnRegistered();
  return response;
}

// Where the extension that registers is kept.
std::expected<Extensions::Extension*, http::Response> Extensions::Place(const std::string& name) {
  if (Extension* const known = Find(name)) {
    if (!known->external) {
      return std::unexpected(Forbidden("Extension.InvalidExtensionState",
                                       "Extension with this name already registered"));
    }
    if (known->status.state == State::kStarted) return known;
    return std::unexpected(WrongState(known->status.state, "Registered", name));
  }
  if (!open_) {
    return std::unexpected(
        Forbidden("Extension.RegistrationClosed", "Extension registration closed already"));
  }
  if (all_.size() >= kMost) {
    return std::unexpected(Forbidden("Extension.TooManyExtensions",
                                     fmt::format("Extension limit ({}) reached", kMost)));
  }
  all_.push_back(
      std::make_unique<Extension>(Extension{.status = {.name = name}, .id = NewUuid(random_)}));
  return all_.back().get();
}

std::expected<std::string, http::Response> Extensions::Caller(const http::Request& request) const {
  const std::string_view id = request.headers.Get(kIdHeader);
  if (id.empty()) {
    return std::unexpected(Forbidden("Extension.MissingExtensionIdentifier",
                                     "Missing Lambda-Extension-Identifier header"));
  }
  if (!IsUuid(id)) {
    return std::unexpected(
        Forbidden("Extension.InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier"));
  }
  for (const auto& extension : all_) {
    if (http::EqualsIgnoringCase(extension->id, id)) return extension->status.name;
  }
  return std::unexpected(
      Forbidden("Extension.UnknownExtensionIdentifier", fmt::format("Unknown extension {}", id)));
}

awaitable<http::Response> Extensions::Next(const http::Request& request) {
  auto caller = Caller(request);
  if (!caller) co_return std::move(caller.error());
  Extension& extension = *Find(*caller);
  const State state = extension.status.state;
  if (state != State::kRegistered && state != State::kRunning) {
    co_return WrongState(state, "Ready", extension.id);
  }
  const auto waiter = std::make_shared<Waiter>();
  extension.status.state = State::kReady;
  extension.waiter = waiter;
  if (!extension.pending.empty()) {
    Deliver(extension, std::exchange(extension.pending, {}));
  } else {
    observer_.OnReady();
  }
  // This object may be gone when the wait ends.
  co_return co_await waiter->Wait();
}

http::Response Extensions::Fail(const http::Request& request, State to) {
  const auto caller = Caller(request);
  if (!caller) return caller.error();
  Extension& extension = *Find(*caller);
  const std::string_view type = request.headers.Get("Lambda-Extension-Function-Error-Type");
  if (type.empty()) {
    return Forbidden("Extension.MissingHeader", "Lambda-Extension-Function-Error-Type not found");
  }
  const State state = extension.status.state;
  const bool again = state == to;
  const bool allowed =
      state == State::kRegistered ||
      (to == State::kExitError && (state == State::kReady || state == State::kRunning));
  if (!again && !allowed) {
    return WrongState(state, to == State::kInitError ? "InitError" : "Exited", extension.id);
  }
  // Of several errors the first counts.
  if (!again) extension.status.error_type = type;
  extension.status.state = to;
  return {202, {{"Content-Type", "application/json"}}, "{\"status\":\"OK\"}\n"};
}

void Extensions::LaunchFailed(std::string_view name, std::string_view error_type) {
  if (Extension* const extension = Find(name)) {
    extension->gone = true;
    extension->status.state = State::kLaunchError;
    extension->status.error_type = error_type;
  }
}

void Extensions::Invoke(const RuntimeEvent& event) {
  if (all_.empty()) return;
  json::object body{{"eventType", kInvoke},
                    {"deadlineMs", event.deadline_ms},
                    {"requestId", event.request_id},
                    {"invokedFunctionArn", event.function_arn},
                    {"tracing", {{"type", "X-Amzn-Trace-Id"}, {"value", event.trace_id}}}};
  const std::string text = json::serialize(body);
  for (const auto& extension : all_) {
    if (Listens(extension->status, kInvoke)) Deliver(*extension, text);
  }
}

void Extensions::Shutdown(std::string_view reason, std::int64_t deadline_ms) {
  const std::string text = json::serialize(json::object{
      {"eventType", kShutdown}, {"deadlineMs", deadline_ms}, {"shutdownReason", reason}});
  for (const auto& extension : all_) {
    if (!extension->external || !Listens(extension->status, kShutdown)) continue;
    if (extension->status.state == State::kReady) {
      Deliver(*extension, text);
    } else {
      extension->pending = text;
    }
  }
}

void Extensions::Deliver(Extension& extension, std::string event) {
  if (extension.status.state != State::kReady) return;
  extension.status.state = State::kRunning;
  if (const auto waiter = std::exchange(extension.waiter, nullptr)) {
    waiter->Set(EventResponse(std::move(event)));
  }
}

http::Response Extensions::EventResponse(std::string event) {
  return {200,
          {{"Content-Type", "application/json"},
           {"Lambda-Extension-Event-Identifier", NewUuid(random_)}},
          std::move(event)};
}

Extensions::State Extensions::Exited(std::string_view name) {
  Extension* const extension = Find(name);
  if (extension == nullptr) return State::kExited;
  if (const auto waiter = std::exchange(extension->waiter, nullptr)) {
    waiter->Set(WrongState(State::kExited, "Running", extension->id));
  }
  extension->gone = true;
  const State was = extension->status.state;
  if (was == State::kRunning) extension->status.state = State::kExited;
  return was;
}

bool Extensions::registered() const {
  return std::ranges::none_of(
      all_, [](const auto& it) { return it->external && it->status.state == State::kStarted; });
}

bool Extensions::ready() const {
  return std::ranges::all_of(
      all_, [](const auto& it) { return !it->gone && it->status.state == State::kReady; });
}

bool Extensions::invoke_done() const {
  return std::ranges::all_of(all_, [](const auto& it) {
    return !Listens(it->status, kInvoke) || it->status.state == State::kReady;
  });
}

bool Extensions::awaits_shutdown() const {
  return std::ranges::any_of(all_, [](const auto& it) {
    return it->external && Listens(it->status, kShutdown) && !it->gone;
  });
}

std::vector<Extensions::Status> Extensions::statuses() const {
  std::vector<Status> statuses;
  for (const auto& extension : all_) statuses.push_back(extension->status);
  return statuses;
}

Extensions::Extension* Extensions::Find(std::string_view name) {
  const auto found =
      std::ranges::find_if(all_, [&](const auto& it) { return it->status.name == name; });
  return found == all_.end() ? nullptr : found->get();
}

}  // namespace kelvin::service
