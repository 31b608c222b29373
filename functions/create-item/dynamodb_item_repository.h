#pragma once

#include <memory>

#include "aws/dynamodb_client.h"
#include "base/clock.h"
#include "base/ids.h"
#include "http/stream.h"
#include "item_repository.h"
#include "settings.h"

namespace create_item {

// Keeps items in a DynamoDB table: Id (a UUID, the key), CreatedAt (ISO 8601 in UTC) and, when
// items have a limited life, TTL (seconds since 1970, as DynamoDB's time to live expects them).
class DynamoDbItemRepository final : public ItemRepository {
 public:
  // The clock and the random source outlive it.
  DynamoDbItemRepository(Settings settings, kelvin::aws::DynamoDbClientOptions options,
                         std::unique_ptr<kelvin::http::Connector> connector,
                         const kelvin::Clock& clock, kelvin::Random& random);

  std::expected<kelvin::Uuid, kelvin::HandlerError> Create(
      std::chrono::steady_clock::time_point deadline) override;

 private:
  Settings settings_;
  const kelvin::Clock& clock_;
  kelvin::Random& random_;
  std::unique_ptr<kelvin::http::Connector> connector_;
  kelvin::aws::DynamoDbClient client_;
};

// With all that the function's environment says. Fails when a variable is missing or malformed,
// naming it. Opens no connection.
std::expected<std::unique_ptr<ItemRepository>, kelvin::HandlerError> NewDynamoDbItemRepository(
    const kelvin::Environment& environment, const kelvin::Clock& clock, kelvin::Random& random);

}  // namespace create_item
