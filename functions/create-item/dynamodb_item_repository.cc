#include "dynamodb_item_repository.h"

#include <string>
#include <utility>

#include "aws/network.h"
#include "base/time_format.h"

namespace create_item {

DynamoDbItemRepository::DynamoDbItemRepository(Settings settings,
                                               kelvin::aws::DynamoDbClientOptions options,
                                               std::unique_ptr<kelvin::http::Connector> connector,
                                               const kelvin::Clock& clock, kelvin::Random& random)
    : settings_(std::move(settings)),
      clock_(clock),
      random_(random),
      connector_(std::move(connector)),
      client_(std::move(options), *connector_, clock, random) {}

std::expected<kelvin::Uuid, kelvin::HandlerError> DynamoDbItemRepository::Create(
    std::chrono::steady_clock::time_point deadline) {
  const std::uint64_t high = random_.Next();
  const auto id = kelvin::Uuid::FromRandomBits(high, random_.Next());
  const auto now = clock_.WallNow();
  kelvin::aws::Item item{{"Id", id.ToString()}, {"CreatedAt", kelvin::FormatIso8601(now)}};
  if (settings_.ttl) {
    const auto end = std::chrono::floor<std::chrono::seconds>(now + *settings_.ttl);
    item.emplace("TTL", end.time_since_epoch().count());
  }
  const auto put =
      client_.PutItem({.table = settings_.table_name, .item = std::move(item)}, deadline);
  if (put) return id;
  const kelvin::Error& error = put.error();
  return std::unexpected(kelvin::HandlerError{error.remote_type.empty()
                                                  ? std::string(kelvin::ErrorCodeName(error.code))
                                                  : error.remote_type,
                                              error.message});
}

std::expected<std::unique_ptr<ItemRepository>, kelvin::HandlerError> NewDynamoDbItemRepository(
    const kelvin::Environment& environment, const kelvin::Clock& clock, kelvin::Random& random) {
  auto settings = ReadSettings(environment);
  if (!settings) return std::unexpected(std::move(settings.error()));
  const kelvin::aws::EnvironmentLookup lookup =
      [&environment](std::string_view name) -> std::optional<std::string> {
    const auto value = environment.Get(name);
    return value ? std::optional<std::string>(*value) : std::nullopt;
  };
  auto options = kelvin::aws::DynamoDbClientOptionsFromEnvironment(lookup);
  if (!options) {
    return std::unexpected(
        kelvin::HandlerError{"Function.InvalidSetting", std::move(options.error().message)});
  }
  auto connector = kelvin::aws::NewConnector(options->endpoint.scheme, clock,
                                             kelvin::aws::NetworkOptionsFromEnvironment(lookup));
  return std::make_unique<DynamoDbItemRepository>(std::move(*settings), std::move(*options),
                                                  std::move(connector), clock, random);
}

}  // namespace create_item
