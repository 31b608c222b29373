#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace kelvin::service {

// What extensions send. A refusal is the message that Lambda gives.

// The events of POST /2020-01-01/extension/register, unchecked.
std::expected<std::vector<std::string>, std::string> ParseRegistration(std::string_view body);

enum class TelemetryKind { kPlatform, kFunction, kExtension };
std::string_view NameOf(TelemetryKind kind);

// Where to telemetry goes: to a listener within the sandbox.
struct TelemetryDestination {
  enum class Protocol { kHttp, kTcp } protocol = Protocol::kHttp;
  int port = 0;
  std::string path = "/";  // HTTP only
};

// PUT /2022-07-01/telemetry, and the Logs API before it.
struct Subscription {
  std::string schema_version;
  std::vector<TelemetryKind> kinds;
  TelemetryDestination destination;
  std::size_t max_items = 10'000;
  std::size_t max_bytes = 262'144;
  std::chrono::milliseconds timeout{1000};
};
enum class TelemetryApi { kTelemetry, kLogs };
std::expected<Subscription, std::string> ParseSubscription(std::string_view body, TelemetryApi api);

}  // namespace kelvin::service
