#pragma once

#include <optional>
#include <string_view>

namespace kelvin {

// Environment variables, as a value that can be passed and, in tests, made up:
//   const char* block[] = {"TABLE_NAME=items", nullptr};
//   kelvin::Environment environment(block);
// A view: the block and its strings outlive it. Thread-safe.
class Environment {
 public:
  // No variables.
  Environment() = default;
  // "NAME=value" strings, ended by a null pointer.
  explicit Environment(const char* const* block) : block_(block) {}

  // The variable's value, which may be empty; nothing when it is not set.
  std::optional<std::string_view> Get(std::string_view name) const;

 private:
  const char* const* block_ = nullptr;
};

}  // namespace kelvin
