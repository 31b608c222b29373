#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "service/function_record.h"
#include "service/one_shot.h"

namespace kelvin::service {

// The functions there are. Used from one thread.
class FunctionRegistry {
 public:
  using Record = std::shared_ptr<const FunctionRecord>;
  // Nothing for a function that does not exist.
  Record Find(std::string_view name) const;
  void Put(Record record);
  void Remove(std::string_view name);
  // By name.
  const ByName<Record>& all() const { return functions_; }

  // Held while a function is being changed: one change at a time. May outlive the registry.
  class Change;
  Change BeginChange(std::string_view name);
  // Waits until it is this one's turn.
  boost::asio::awaitable<Change> AwaitChange(std::string name);

 private:
  using Waiter = std::shared_ptr<OneShot<bool>>;
  // The functions that are being changed, and who waits for that to end.
  using Changing = ByName<std::vector<Waiter>>;

  ByName<Record> functions_;
  std::shared_ptr<Changing> changing_ = std::make_shared<Changing>();
};

class FunctionRegistry::Change {
 public:
  Change(Change&& other) noexcept;
  Change& operator=(Change&&) = delete;
  ~Change();
  // Whether it is this one's turn; if not, another change goes on.
  explicit operator bool() const { return changing_ != nullptr; }

 private:
  friend class FunctionRegistry;
  Change(std::shared_ptr<Changing> changing, std::string name);
  std::shared_ptr<Changing> changing_;
  std::string name_;
};

}  // namespace kelvin::service
