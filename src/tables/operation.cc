#include "tables/operation.h"

#include <algorithm>
#include <array>

namespace kelvin::tables {
namespace {

struct NamedOperation {
  std::string_view name;
  Operation operation;
};

constexpr std::array<NamedOperation, 27> kOperations = {{
    {"BatchExecuteStatement", RefusePartiQl},
    {"BatchGetItem", BatchGetItem},
    {"BatchWriteItem", BatchWriteItem},
    {"CreateTable", CreateTable},
    {"DeleteItem", DeleteItem},
    {"DeleteTable", DeleteTable},
    {"DescribeContinuousBackups", DescribeContinuousBackups},
    {"DescribeEndpoints", DescribeEndpoints},
    {"DescribeLimits", DescribeLimits},
    {"DescribeTable", DescribeTable},
    {"DescribeTimeToLive", DescribeTimeToLive},
    {"ExecuteStatement", RefusePartiQl},
    {"ExecuteTransaction", RefusePartiQl},
    {"GetItem", GetItem},
    {"ListTables", ListTables},
    {"ListTagsOfResource", ListTagsOfResource},
    {"PutItem", PutItem},
    {"Query", Query},
    {"Scan", Scan},
    {"TagResource", TagResource},
    {"TransactGetItems", TransactGetItems},
    {"TransactWriteItems", TransactWriteItems},
    {"UntagResource", UntagResource},
    {"UpdateContinuousBackups", UpdateContinuousBackups},
    {"UpdateItem", UpdateItem},
    {"UpdateTable", UpdateTable},
    {"UpdateTimeToLive", UpdateTimeToLive},
}};
static_assert(std::ranges::is_sorted(kOperations, {}, &NamedOperation::name));

}  // namespace

Operation FindOperation(std::string_view name) {
  const auto found = std::ranges::lower_bound(kOperations, name, {}, &NamedOperation::name);
  return found != kOperations.end() && found->name == name ? found->operation : nullptr;
}

}  // namespace kelvin::tables
