#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tables/capacity.h"
#include "tables/failure.h"
#include "tables/fields.h"
#include "tables/request.h"
#include "tables/store.h"
#include "tables/transaction.h"
#include "tables/value.h"

namespace kelvin::tables {

enum class WriteKind { kPut, kDelete, kUpdate, kConditionCheck };

// Whether the write is a request of its own or one action of several, which have fewer members.
enum class WriteRole { kAlone, kInTransaction, kInBatch };

// Nothing yet, or the old and the new item.
enum class ReturnValues { kNone, kAllOld, kUpdatedOld, kAllNew, kUpdatedNew };

// One write of one item, from the request's members to the rows: PutItem, DeleteItem, UpdateItem,
// and the actions of transactions and batches. The steps are called in their order. Used by one
// thread at a time; not to be moved.
class ItemWrite {
 public:
  // Reads the members and notes faults of their shape.
  ItemWrite(WriteKind kind, WriteRole role, const Fields& fields);
  ItemWrite(const ItemWrite&) = delete;
  ItemWrite& operator=(const ItemWrite&) = delete;

  // All that can be wrong without a look at the table.
  Outcome<void> CheckRequest();
  // Finds the table and the item's place in it.
  Outcome<void> Bind(const Store& store);
  // Reads the old item, checks the condition and makes the new item. May be repeated.
  Outcome<void> Decide(Transaction& transaction);
  // Writes what was decided.
  Outcome<void> Write(Transaction& transaction);

  WriteKind kind() const { return kind_; }
  std::string_view table_name() const { return table_name_; }
  // For names that stand outside of the fields, as in batches.
  void set_table_name(std::string_view name) { table_name_ = name; }
  // What is wrong with the values of one action of several: each tells of its own, in its turn.
  void set_value_fault(std::optional<Failure> fault) { value_fault_ = std::move(fault); }
  const Table& table() const { return *table_; }
  const Key& key() const { return key_; }
  const WriteEffect& effect() const { return effect_; }
  // The item's size as the request has it.
  std::size_t request_bytes() const;
  // The item's partition key, as it is shown in ItemCollectionMetrics.
  Item collection_key() const;
  // What the answer shows, if anything.
  std::optional<Item> returned() const;

 private:
  const Item& attributes() const { return *attributes_; }
  void ReadOtherMembers();
  Outcome<void> CheckReturnValues() const;
  Outcome<void> CheckPaths() const;
  Outcome<void> CheckKeyMembers();
  Outcome<void> CheckUpdateValues() const;
  Outcome<void> CheckCondition() const;
  Outcome<void> Update();
  Outcome<void> CheckUpdated(const Item& updated) const;
  bool NeedsOldItem() const;

  WriteKind kind_;
  WriteRole role_;
  Fields fields_;
  std::string_view table_name_;
  std::optional<Item> attributes_;  // Item or Key
  Expressions expressions_;
  std::optional<Failure> value_fault_;
  ReturnValues return_values_ = ReturnValues::kNone;
  enum class OnFailure { kNothing, kOldItem } on_failure_ = OnFailure::kNothing;

  TablePtr table_;
  Key key_;
  std::optional<std::string> before_;  // stored form
  std::optional<Item> old_;            // decoded where something looks at it
  std::optional<Item> updated_;        // of kUpdate
  WriteEffect effect_;
};

}  // namespace kelvin::tables
