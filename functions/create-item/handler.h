#pragma once

#include <expected>
#include <map>
#include <memory>
#include <string>

#include <kelvin/kelvin.h>

#include "item_repository.h"

namespace create_item {

// Logs what came, creates an item and answers with its id.
class Handler {
 public:
  explicit Handler(std::unique_ptr<ItemRepository> repository);

  std::expected<kelvin::Uuid, kelvin::HandlerError> operator()(
      const std::map<std::string, std::string>& input, const kelvin::Context& context);

 private:
  std::unique_ptr<ItemRepository> repository_;
};

}  // namespace create_item
