#include "service/function_registry.h"

#include <utility>

namespace kelvin::service {

FunctionRegistry::Config FunctionRegistry::Find(std::string_view name) const {
  const auto found = functions_.find(name);
  return found == functions_.end() ? nullptr : found->second;
}

void FunctionRegistry::Put(Config config) {
  const std::string& name = config->name;
  functions_.insert_or_assign(name, std::move(config));
}

void FunctionRegistry::Remove(std::string_view name) {
  const auto found = functions_.find(name);
  if (found != functions_.end()) functions_.erase(found);
}

FunctionRegistry::Change FunctionRegistry::BeginChange(std::string_view name) {
  const bool mine = changing_->emplace(name).second;
  return Change(mine ? changing_ : nullptr, std::string(name));
}

FunctionRegistry::Change::Change(std::shared_ptr<Names> changing, std::string name)
    : changing_(std::move(changing)), name_(std::move(name)) {}

FunctionRegistry::Change::Change(Change&& other) noexcept
    : changing_(std::move(other.changing_)), name_(std::move(other.name_)) {}

FunctionRegistry::Change::~Change() {
  if (changing_ != nullptr) changing_->erase(name_);
}

}  // namespace kelvin::service
