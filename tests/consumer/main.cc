#include <cstddef>
#include <expected>
#include <string>
#include <vector>

#include <boost/describe/class.hpp>
#include <kelvin/kelvin.h>

#include "aws/sha256.h"

struct Order {
  std::string id;
  std::vector<std::string> items;
};
BOOST_DESCRIBE_STRUCT(Order, (), (id, items))

struct Receipt {
  std::string id;
  std::size_t count;
  std::string digest;
};
BOOST_DESCRIBE_STRUCT(Receipt, (), (id, count, digest))

std::expected<Receipt, kelvin::HandlerError> Accept(const Order& order,
                                                    const kelvin::Context& context) {
  context.log().Info("order {}", order.id);
  if (order.items.empty()) throw kelvin::HandlerError{"Function.NoItems", "expected an item"};
  return Receipt{order.id, order.items.size(), kelvin::aws::Sha256Hex(order.id)};
}

int main() {
  return kelvin::Run(Accept);
}
