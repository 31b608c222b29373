#include "service/extension_request.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace kelvin::service {

namespace json = boost::json;

namespace {

struct Range {
  std::string_view name;
  std::int64_t least;
  std::int64_t most;
};
constexpr Range kMaxItems{"maxItems", 1000, 10'000};
constexpr Range kMaxBytes{"maxBytes", 262'144, 1'048'576};
constexpr Range kTimeoutMs{"timeoutMs", 25, 30'000};
constexpr Range kPort{"destination.port", 1, 65'535};

// What is wrong, all of it, as Lambda lists it.
class Problems {
 public:
  void Add(std::string_view problem) {
    if (!text_.empty()) text_ += "; ";
    text_ += problem;
  }
  bool empty() const { return text_.empty(); }
  std::string text() && { return std::move(text_); }

 private:
  std::string text_;
};

// Nothing when it is not there, or is no whole number within the range: that is a problem.
std::optional<std::int64_t> ReadNumber(const json::object& object, std::string_view key,
                                       const Range& range, Problems& problems) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr) return std::nullopt;
  boost::system::error_code error;
  const auto number = value->to_number<std::int64_t>(error);
  if (!error && number >= range.least && number <= range.most) return number;
  problems.Add(fmt::format("{} should be between {} and {}", range.name, range.least, range.most));
  return std::nullopt;
}

std::string_view StringAt(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string())
                                                : std::string_view{};
}

// "http://sandbox.localdomain:8080/path": the sandbox itself is the only host there is.
void ReadUri(std::string_view uri, TelemetryDestination& destination, Problems& problems) {
  constexpr std::string_view kScheme = "http://";
  if (uri.empty()) return problems.Add("URI is not provided");
  if (!uri.starts_with(kScheme)) return problems.Add("URI scheme should be http");
  uri.remove_prefix(kScheme.size());
  const auto slash = std::min(uri.find('/'), uri.size());
  const std::string_view authority = uri.substr(0, slash);
  if (slash < uri.size()) destination.path = uri.substr(slash);
  const auto is_control = [](unsigned char c) { return c <= ' ' || c == 0x7f; };
  if (std::ranges::any_of(uri, is_control)) return problems.Add("URI is not valid");
  const auto colon = std::min(authority.find(':'), authority.size());
  const std::string_view host = authority.substr(0, colon);
  const bool within = host == "sandbox.localdomain" || host == "sandbox" || host == "localhost" ||
                      host == "127.0.0.1";
  if (!within) problems.Add("URI host should be sandbox.localdomain");
  if (colon == authority.size()) return problems.Add("URI port is not provided");
  const std::string_view port = authority.substr(colon + 1);
  const auto [end, error] =
      std::from_chars(port.data(), port.data() + port.size(), destination.port);
  const bool whole = error == std::errc{} && end == port.data() + port.size();
  if (!whole || destination.port < kPort.least || destination.port > kPort.most) {
    problems.Add("URI port is not valid");
  }
}

void ReadDestination(const json::object& request, TelemetryDestination& destination,
                     Problems& problems) {
  const json::value* value = request.if_contains("destination");
  if (value == nullptr || !value->is_object()) return problems.Add("destination is not provided");
  const json::object& object = value->get_object();
  const std::string_view protocol = StringAt(object, "protocol");
  if (protocol == "HTTP") return ReadUri(StringAt(object, "URI"), destination, problems);
  if (protocol != "TCP") return problems.Add("destination.protocol should be HTTP or TCP");
  destination.protocol = TelemetryDestination::Protocol::kTcp;
  if (!object.contains("port")) return problems.Add("destination.port is not provided");
  const auto port = ReadNumber(object, "port", kPort, problems);
  if (port) destination.port = static_cast<int>(*port);
}

void ReadKinds(const json::object& request, std::vector<TelemetryKind>& kinds, Problems& problems) {
  using enum TelemetryKind;
  const json::value* value = request.if_contains("types");
  if (value == nullptr || !value->is_array()) return problems.Add("types should be an array");
  if (value->get_array().empty()) return problems.Add("types should not be empty");
  for (const json::value& type : value->get_array()) {
    bool known = false;
    for (const TelemetryKind kind : {kPlatform, kFunction, kExtension}) {
      if (!type.is_string() || std::string_view(type.get_string()) != NameOf(kind)) continue;
      known = true;
      if (std::ranges::find(kinds, kind) == kinds.end()) kinds.push_back(kind);
    }
    if (!known) problems.Add("types should be platform, function or extension");
  }
}

void ReadBuffering(const json::object& request, Subscription& subscription, Problems& problems) {
  const json::value* value = request.if_contains("buffering");
  if (value == nullptr || value->is_null()) return;
  if (!value->is_object()) return problems.Add("buffering should be an object");
  const json::object& object = value->get_object();
  if (const auto items = ReadNumber(object, "maxItems", kMaxItems, problems)) {
    subscription.max_items = static_cast<std::size_t>(*items);
  }
  if (const auto bytes = ReadNumber(object, "maxBytes", kMaxBytes, problems)) {
    subscription.max_bytes = static_cast<std::size_t>(*bytes);
  }
  if (const auto timeout = ReadNumber(object, "timeoutMs", kTimeoutMs, problems)) {
    subscription.timeout = std::chrono::milliseconds(*timeout);
  }
}

bool IsSchemaVersion(std::string_view version, TelemetryApi api) {
  if (api == TelemetryApi::kLogs) return version == "2020-08-15" || version == "2021-03-18";
  return version == "2022-07-01" || version == "2022-12-13" || version == "2025-01-29";
}

}  // namespace

std::string_view NameOf(TelemetryKind kind) {
  switch (kind) {
    case TelemetryKind::kPlatform:
      return "platform";
    case TelemetryKind::kFunction:
      return "function";
    case TelemetryKind::kExtension:
      return "extension";
  }
  return {};
}

std::expected<std::vector<std::string>, std::string> ParseRegistration(std::string_view body) {
  boost::system::error_code error;
  const json::value value = json::parse(body, error);
  if (error) return std::unexpected(error.message());
  const json::object* object = value.if_object();
  if (object == nullptr) return std::unexpected("expected an object");
  const json::value* keys = object->if_contains("configurationKeys");
  if (keys != nullptr && keys->is_array() && !keys->get_array().empty()) {
    return std::unexpected("configurationKeys are deprecated; use environment variables instead");
  }
  std::vector<std::string> events;
  const json::value* given = object->if_contains("events");
  if (given == nullptr || given->is_null()) return events;
  if (!given->is_array()) return std::unexpected("expected events to be an array of strings");
  for (const json::value& event : given->get_array()) {
    if (!event.is_string()) return std::unexpected("expected events to be an array of strings");
    events.emplace_back(event.get_string());
  }
  return events;
}

std::expected<Subscription, std::string> ParseSubscription(std::string_view body,
                                                           TelemetryApi api) {
  boost::system::error_code error;
  const json::value value = json::parse(body, error);
  const json::object* object = error ? nullptr : value.if_object();
  if (object == nullptr) return std::unexpected("failed to parse JSON");
  Problems problems;
  Subscription subscription;
  subscription.schema_version = StringAt(*object, "schemaVersion");
  // The Logs API did without one.
  const bool optional = api == TelemetryApi::kLogs && subscription.schema_version.empty();
  if (!optional && !IsSchemaVersion(subscription.schema_version, api)) {
    problems.Add("schemaVersion is not supported");
  }
  ReadDestination(*object, subscription.destination, problems);
  ReadKinds(*object, subscription.kinds, problems);
  ReadBuffering(*object, subscription, problems);
  if (!problems.empty()) return std::unexpected(std::move(problems).text());
  return subscription;
}

}  // namespace kelvin::service
