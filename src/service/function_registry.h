#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "service/function_config.h"

namespace kelvin::service {

// The functions there are. Used from one thread.
class FunctionRegistry {
 public:
  using Config = std::shared_ptr<const FunctionConfig>;
  using Names = std::set<std::string, std::less<>>;

  // Nothing for a function that does not exist.
  Config Find(std::string_view name) const;
  void Put(Config config);
  void Remove(std::string_view name);
  // By name.
  const std::map<std::string, Config, std::less<>>& all() const { return functions_; }

  // Held while a function is being changed: one change at a time. May outlive the registry.
  class Change {
   public:
    Change(Change&& other) noexcept;
    Change& operator=(Change&&) = delete;
    ~Change();
    // Whether it is this one's turn; if not, another change goes on.
    explicit operator bool() const { return changing_ != nullptr; }

   private:
    friend class FunctionRegistry;
    Change(std::shared_ptr<Names> changing, std::string name);
    std::shared_ptr<Names> changing_;
    std::string name_;
  };
  Change BeginChange(std::string_view name);

 private:
  std::map<std::string, Config, std::less<>> functions_;
  std::shared_ptr<Names> changing_ = std::make_shared<Names>();
};

}  // namespace kelvin::service
