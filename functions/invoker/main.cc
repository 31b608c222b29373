#include <memory>

#include <kelvin/kelvin.h>

#include "aws/lambda_client.h"
#include "aws/network.h"
#include "base/clock.h"
#include "base/ids.h"
#include "handler.h"

int main() {
  const kelvin::SystemClock clock;
  kelvin::SystemRandom random;
  std::unique_ptr<kelvin::http::Connector> connector;
  return kelvin::RunFactory([&](const kelvin::InitContext& init)
                                -> std::expected<invoker::Handler, kelvin::HandlerError> {
    const kelvin::Environment environment = init.environment();
    const auto lookup = [environment](std::string_view name) -> std::optional<std::string> {
      const auto value = environment.Get(name);
      return value ? std::optional<std::string>(*value) : std::nullopt;
    };
    auto options = kelvin::aws::LambdaClientOptionsFromEnvironment(lookup);
    if (!options) {
      return std::unexpected(
          kelvin::HandlerError{"Invoker.Configuration", options.error().message, {}, {}});
    }
    connector = kelvin::aws::NewConnector(options->endpoint.scheme, clock,
                                          kelvin::aws::NetworkOptionsFromEnvironment(lookup));
    auto client = kelvin::aws::NewLambdaClient(std::move(*options), *connector, clock, random);
    return invoker::Handler(std::move(client), clock, random,
                            lookup("TARGET_FUNCTIONS").value_or(""));
  });
}
