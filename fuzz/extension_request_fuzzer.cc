// What extensions send: registrations and telemetry subscriptions. What is accepted must be within
// the limits and fit for a request line.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "service/extension_request.h"

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kelvin::service;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  (void)ParseRegistration(body);
  for (const TelemetryApi api : {TelemetryApi::kTelemetry, TelemetryApi::kLogs}) {
    const auto subscription = ParseSubscription(body, api);
    if (!subscription) {
      Check(!subscription.error().empty());
      continue;
    }
    const TelemetryDestination& destination = subscription->destination;
    Check(destination.port >= 1 && destination.port <= 65535);
    Check(destination.path.starts_with('/'));
    Check(destination.path.find_first_of(" \r\n\t") == std::string::npos);
    Check(!subscription->kinds.empty() && subscription->kinds.size() <= 3);
    Check(subscription->max_items >= 1000 && subscription->max_items <= 10'000);
    Check(subscription->max_bytes >= 262'144 && subscription->max_bytes <= 1'048'576);
  }
  return 0;
}
