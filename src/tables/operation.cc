#include "tables/operation.h"

#include <algorithm>
#include <array>

namespace kelvin::tables {
namespace {

struct NamedOperation {
  std::string_view name;
  Operation operation;
};

constexpr std::array<NamedOperation, 12> kOperations = {{
    {"CreateTable", CreateTable},
    {"DeleteItem", DeleteItem},
    {"DeleteTable", DeleteTable},
    {"DescribeTable", DescribeTable},
    {"DescribeTimeToLive", DescribeTimeToLive},
    {"GetItem", GetItem},
    {"ListTables", ListTables},
    {"PutItem", PutItem},
    {"Query", Query},
    {"Scan", Scan},
    {"UpdateItem", UpdateItem},
    {"UpdateTimeToLive", UpdateTimeToLive},
}};
static_assert(std::ranges::is_sorted(kOperations, {}, &NamedOperation::name));

}  // namespace

Operation FindOperation(std::string_view name) {
  const auto found = std::ranges::lower_bound(kOperations, name, {}, &NamedOperation::name);
  return found != kOperations.end() && found->name == name ? found->operation : nullptr;
}

}  // namespace kelvin::tables
