#include "service/function_registry.h"

#include <optional>

#include <gtest/gtest.h>

namespace kelvin::service {
namespace {

FunctionRegistry::Record Function(std::string name) {
  FunctionRecord record;
  record.latest.name = std::move(name);
  return std::make_shared<const FunctionRecord>(std::move(record));
}

TEST(FunctionRegistry, FindsWhatWasPut) {
  FunctionRegistry registry;
  registry.Put(Function("f"));
  ASSERT_TRUE(registry.Find("f"));
  registry.Remove("f");
  EXPECT_FALSE(registry.Find("f"));
}

TEST(FunctionRegistry, LetsOneChangeOfAFunctionGoOnAtATime) {
  FunctionRegistry registry;
  std::optional<FunctionRegistry::Change> first(registry.BeginChange("f"));
  EXPECT_TRUE(*first);
  EXPECT_FALSE(registry.BeginChange("f"));
  EXPECT_FALSE(registry.BeginChange("f"));
  EXPECT_TRUE(registry.BeginChange("g"));
  first.reset();
  EXPECT_TRUE(registry.BeginChange("f"));
}

TEST(FunctionRegistry, MayGoBeforeAChangeIsOver) {
  std::optional<FunctionRegistry> registry(std::in_place);
  const auto change = registry->BeginChange("f");
  registry.reset();
  EXPECT_TRUE(change);
}

}  // namespace
}  // namespace kelvin::service
