#pragma once

#include <chrono>
#include <expected>

#include <kelvin/kelvin.h>

namespace create_item {

// Where items are kept: the handler's only way to the outside, so that a test can put a fake here.
class ItemRepository {
 public:
  virtual ~ItemRepository() = default;
  // Keeps a new item and gives its id. Gives up at `deadline`.
  virtual std::expected<kelvin::Uuid, kelvin::HandlerError> Create(
      std::chrono::steady_clock::time_point deadline) = 0;
};

}  // namespace create_item
