#include "service/function_registry.h"

#include <utility>

namespace kelvin::service {

FunctionRegistry::Record FunctionRegistry::Find(std::string_view name) const {
  const auto found = functions_.find(name);
  return found == functions_.end() ? nullptr : found->second;
}

void FunctionRegistry::Put(Record record) {
  const std::string& name = record->name();
  functions_.insert_or_assign(name, std::move(record));
}

void FunctionRegistry::Remove(std::string_view name) {
  const auto found = functions_.find(name);
  if (found != functions_.end()) functions_.erase(found);
}

FunctionRegistry::Change FunctionRegistry::BeginChange(std::string_view name) {
  const bool mine = changing_->emplace(name, std::vector<Waiter>{}).second;
  return Change(mine ? changing_ : nullptr, std::string(name));
}

boost::asio::awaitable<FunctionRegistry::Change> FunctionRegistry::AwaitChange(std::string name) {
  const auto changing = changing_;
  while (!changing->emplace(name, std::vector<Waiter>{}).second) {
    const auto waiter = std::make_shared<OneShot<bool>>();
    changing->at(name).push_back(waiter);
    co_await waiter->Wait();
  }
  Change change(changing, name);
  co_return change;
}

FunctionRegistry::Change::Change(std::shared_ptr<Changing> changing, std::string name)
    : changing_(std::move(changing)), name_(std::move(name)) {}

FunctionRegistry::Change::Change(Change&& other) noexcept
    : changing_(std::move(other.changing_)), name_(std::move(other.name_)) {}

FunctionRegistry::Change::~Change() {
  if (changing_ == nullptr) return;
  const auto waiters = std::move(changing_->extract(name_).mapped());
  for (const Waiter& waiter : waiters) waiter->Set(true);
}

}  // namespace kelvin::service
