#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/describe/class.hpp>
#include <kelvin/kelvin.h>
#include <kelvin/module.h>

#include "aws/sha256.h"

struct Order {
  std::string id;
  std::vector<std::string> items;
  std::optional<std::string> plugin;
};
BOOST_DESCRIBE_STRUCT(Order, (), (id, items, plugin))

struct Receipt {
  std::string id;
  std::size_t count;
  std::string digest;
};
BOOST_DESCRIBE_STRUCT(Receipt, (), (id, count, digest))

// What a plugin makes of the number of items.
std::expected<std::size_t, kelvin::HandlerError> Count(const std::string& plugin,
                                                       std::size_t items) {
  const auto module = kelvin::LoadModule(plugin + ".bc");
  if (!module) return std::unexpected(module.error());
  return module->Find<std::size_t(std::size_t)>("Count")(items);
}

std::expected<Receipt, kelvin::HandlerError> Accept(const Order& order,
                                                    const kelvin::Context& context) {
  context.log().Info("order {}", order.id);
  if (order.items.empty()) throw kelvin::HandlerError{"Function.NoItems", "expected an item"};
  std::expected<std::size_t, kelvin::HandlerError> count = order.items.size();
  if (order.plugin) count = Count(*order.plugin, *count);
  if (!count) return std::unexpected(std::move(count.error()));
  return Receipt{order.id, *count, kelvin::aws::Sha256Hex(order.id)};
}

int main() {
  return kelvin::Run(Accept);
}
