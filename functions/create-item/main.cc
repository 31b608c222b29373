#include <kelvin/kelvin.h>

#include "base/clock.h"
#include "base/ids.h"
#include "dynamodb_item_repository.h"
#include "handler.h"

int main() {
  const kelvin::SystemClock clock;
  kelvin::SystemRandom random;
  return kelvin::RunFactory([&](const kelvin::InitContext& init)
                                -> std::expected<create_item::Handler, kelvin::HandlerError> {
    auto repository = create_item::NewDynamoDbItemRepository(init.environment(), clock, random);
    if (!repository) return std::unexpected(std::move(repository.error()));
    return create_item::Handler(std::move(*repository));
  });
}
