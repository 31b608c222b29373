#include "tables/item_write.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "tables/condition.h"
#include "tables/index_keys.h"
#include "tables/item_codec.h"
#include "tables/update.h"
#include "tables/update_cost.h"

namespace kelvin::tables {
namespace {

// In the order of ReturnValues, and in that of the protocol's message.
constexpr std::array<std::string_view, 5> kReturnValues = {"NONE", "ALL_OLD", "UPDATED_OLD",
                                                           "ALL_NEW", "UPDATED_NEW"};
constexpr std::array<std::string_view, 5> kReturnValuesShown = {"ALL_NEW", "UPDATED_OLD", "ALL_OLD",
                                                                "NONE", "UPDATED_NEW"};

constexpr std::string_view kUpdateTooLarge =
    "Item size to update has exceeded the maximum allowed size";

const ExpressionForms& FormsOf(WriteKind kind, WriteRole role) {
  static const ExpressionForms kCondition{{"ConditionExpression"}, {}};
  static const ExpressionForms kConditionOrExpected{{"ConditionExpression"}, {"Expected"}};
  static const ExpressionForms kUpdate{{"UpdateExpression", "ConditionExpression"}, {}};
  static const ExpressionForms kUpdateOrLegacy{{"UpdateExpression", "ConditionExpression"},
                                               {"AttributeUpdates", "Expected"}};
  static const ExpressionForms kNothing{{}, {}};
  if (role == WriteRole::kInBatch) return kNothing;
  const bool alone = role == WriteRole::kAlone;
  if (kind == WriteKind::kUpdate) return alone ? kUpdateOrLegacy : kUpdate;
  return alone ? kConditionOrExpected : kCondition;
}

Failure Damaged(const Table& table) {
  return FromError(Error{ErrorCode::kCorrupt,
                         "an item of table " + table.definition.name + " is damaged on disk"});
}

// Such an update makes no item where there is none; one that does nothing at all does.
bool OnlyTakesAway(const tables::Update& update) {
  const auto takes_away = [](const UpdateAction& action) {
    return action.kind == UpdateAction::Kind::kRemove || action.kind == UpdateAction::Kind::kDelete;
  };
  return !update.empty() && std::ranges::all_of(update, takes_away);
}

}  // namespace

ItemWrite::ItemWrite(WriteKind kind, WriteRole role, const Fields& fields)
    : kind_(kind),
      role_(role),
      fields_(fields),
      table_name_(role == WriteRole::kInBatch ? std::string_view{} : fields.ItemTableName()),
      attributes_(fields.Attributes(kind == WriteKind::kPut ? "Item" : "Key")),
      expressions_(fields, FormsOf(kind, role)) {
  ReadOtherMembers();
  const std::string_view name = kind == WriteKind::kPut ? "Item" : "Key";
  if (fields.Find(name) == nullptr) {
    fields.faults().Constraint(std::nullopt, fields.PathOf(name), "Member must not be null");
  }
}

void ItemWrite::ReadOtherMembers() {
  constexpr std::array<std::string_view, 2> kOnFailure = {"ALL_OLD", "NONE"};
  const Fields& fields = fields_;
  if (role_ == WriteRole::kInBatch) return;
  if (fields.Enum("ReturnValuesOnConditionCheckFailure", kOnFailure) == "ALL_OLD") {
    on_failure_ = OnFailure::kOldItem;
  }
  if (role_ == WriteRole::kInTransaction) {
    const bool required = kind_ == WriteKind::kUpdate || kind_ == WriteKind::kConditionCheck;
    const std::string_view name =
        kind_ == WriteKind::kUpdate ? "UpdateExpression" : "ConditionExpression";
    if (required) (void)fields.String(name, Presence::kRequired);
    return;
  }
  if (const auto name = fields.Enum("ReturnValues", kReturnValuesShown)) {
    return_values_ =
        static_cast<ReturnValues>(std::ranges::find(kReturnValues, *name) - kReturnValues.begin());
  }
}

Outcome<void> ItemWrite::CheckReturnValues() const {
  const bool old_only =
      return_values_ == ReturnValues::kNone || return_values_ == ReturnValues::kAllOld;
  if (kind_ == WriteKind::kUpdate || old_only) return {};
  return Invalid("ReturnValues can only be ALL_OLD or NONE");
}

Outcome<void> ItemWrite::CheckRequest() {
  if (auto ok = fields_.CheckShape(); !ok) return ok;
  if (auto ok = expressions_.CheckForms(); !ok) return ok;
  if (role_ != WriteRole::kInTransaction) {
    if (auto ok = fields_.Check(); !ok) return ok;
  } else if (value_fault_ && kind_ == WriteKind::kPut) {
    return std::unexpected(*value_fault_);
  }
  if (auto ok = CheckReturnValues(); !ok) return ok;
  if (kind_ == WriteKind::kPut && SizeOf(attributes()) > kMaxItemBytes) {
    return InvalidRequest("Item size has exceeded the maximum allowed size");
  }
  if (auto ok = expressions_.CheckLegacy(); !ok) return ok;
  if (auto ok = expressions_.Parse(); !ok) return ok;
  // Of an action with a key its expressions are looked at first.
  if (value_fault_) return std::unexpected(*value_fault_);
  return {};
}

std::size_t ItemWrite::request_bytes() const {
  return SizeOf(attributes());
}

Outcome<void> ItemWrite::CheckPaths() const {
  std::vector<const Path*> paths;
  if (const auto* update = expressions_.update()) {
    for (const UpdateAction& action : *update) {
      paths.push_back(&action.path);
      CollectPaths(action.operand, paths);
    }
  }
  if (const Node* condition = expressions_.condition()) CollectPaths(*condition, paths);
  return CheckKeyPaths(paths, table_->definition);
}

Outcome<void> ItemWrite::CheckKeyMembers() {
  const TableDefinition& definition = table_->definition;
  auto key = kind_ == WriteKind::kPut ? KeyOfItem(definition.key, attributes())
                                      : KeyOfRequest(definition.key, attributes());
  if (!key) return std::unexpected(std::move(key.error()));
  key_ = std::move(*key);
  if (kind_ != WriteKind::kPut) return {};
  return CheckIndexKeys(definition, attributes(), IndexKeySource::kItem, [](auto) { return true; });
}

Outcome<void> ItemWrite::Bind(const Store& store) {
  auto table = FindTable(store, table_name_);
  if (!table) return std::unexpected(std::move(table.error()));
  table_ = std::move(*table);
  if (auto ok = CheckKeyMembers(); !ok) return ok;
  if (const auto* update = expressions_.update()) {
    if (auto ok = CheckKeyUntouched(*update, table_->definition.key); !ok) return ok;
    if (auto ok = CheckUpdateValues(); !ok) return ok;
  }
  return CheckPaths();
}

// Values that the update itself gives to keys of indexes, which no item has to be read for.
Outcome<void> ItemWrite::CheckUpdateValues() const {
  Item given;
  for (const UpdateAction& action : *expressions_.update()) {
    if (action.path.size() > 1 || action.operand.value == nullptr) continue;
    given.Set(std::get<std::string>(action.path[0]), *action.operand.value);
  }
  return CheckIndexKeys(table_->definition, given, IndexKeySource::kUpdate,
                        [](auto) { return true; });
}

bool ItemWrite::NeedsOldItem() const {
  return kind_ == WriteKind::kUpdate || expressions_.condition() != nullptr ||
         return_values_ != ReturnValues::kNone;
}

Outcome<void> ItemWrite::CheckCondition() const {
  const Node* condition = expressions_.condition();
  if (condition == nullptr || Holds(*condition, old_ ? *old_ : Item{})) return {};
  Failure failure{FailureKind::kConditionalCheckFailed, "The conditional request failed"};
  if (old_ && on_failure_ == OnFailure::kOldItem) {
    failure.item = std::make_shared<const Item>(*old_);
  }
  return std::unexpected(std::move(failure));
}

Outcome<void> ItemWrite::Decide(Transaction& transaction) {
  old_.reset();
  updated_.reset();
  auto before = transaction.Get(*table_, key_);
  if (!before) return std::unexpected(std::move(before.error()));
  before_ = std::move(*before);
  if (before_ && NeedsOldItem()) {
    old_ = DecodeItem(*before_);
    if (!old_) return std::unexpected(Damaged(*table_));
  }
  const auto* update = expressions_.update();
  if (update != nullptr && role_ == WriteRole::kAlone &&
      CostOf(*update, old_ ? *old_ : Item{}) > kMaxItemBytes) {
    return Invalid(std::string(kUpdateTooLarge));
  }
  if (auto holds = CheckCondition(); !holds) return holds;
  return kind_ == WriteKind::kUpdate ? Update() : Outcome<void>{};
}

Outcome<void> ItemWrite::Update() {
  const Item& base = old_ ? *old_ : attributes();
  const auto* update = expressions_.update();
  if (update == nullptr) {
    updated_ = base;
    return {};
  }
  if (!old_ && OnlyTakesAway(*update)) return {};
  auto updated = Apply(*update, base,
                       expressions_.update_wording() == Expressions::Wording::kLegacy
                           ? UpdateWording::kLegacy
                           : UpdateWording::kExpression,
                       old_ ? UpdateBase::kItem : UpdateBase::kKey);
  if (!updated) return std::unexpected(std::move(updated.error()));
  if (auto ok = CheckUpdated(*updated); !ok) return ok;
  updated_ = std::move(*updated);
  return {};
}

Outcome<void> ItemWrite::CheckUpdated(const Item& updated) const {
  if (SizeOf(updated) > kMaxItemBytes) return Invalid(std::string(kUpdateTooLarge));
  if (NestingOf(updated) >= kMaxNesting) {
    return Invalid(
        "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels "
        "beyond supported limit");
  }
  const auto& update = *expressions_.update();
  return CheckIndexKeys(table_->definition, updated, IndexKeySource::kUpdate,
                        [&](std::string_view attribute) {
                          return std::ranges::any_of(update, [&](const UpdateAction& action) {
                            return std::get<std::string>(action.path[0]) == attribute;
                          });
                        });
}

Outcome<void> ItemWrite::Write(Transaction& transaction) {
  if (kind_ == WriteKind::kConditionCheck) return {};
  const Item* after = kind_ == WriteKind::kPut                  ? &attributes()
                      : kind_ == WriteKind::kUpdate && updated_ ? &*updated_
                                                                : nullptr;
  auto effect = transaction.Replace(*table_, key_, before_, after);
  if (!effect) return std::unexpected(std::move(effect.error()));
  effect_ = std::move(*effect);
  return {};
}

Item ItemWrite::collection_key() const {
  Item key;
  const std::string& name = table_->definition.key.partition.name;
  key.Set(name, *attributes().Find(name));
  return key;
}

std::optional<Item> ItemWrite::returned() const {
  std::vector<const Path*> paths;
  if (const auto* update = expressions_.update()) {
    for (const UpdateAction& action : *update) paths.push_back(&action.path);
  }
  const auto unless_empty = [](Item item) {
    return item.empty() ? std::optional<Item>{} : std::optional(std::move(item));
  };
  switch (return_values_) {
    case ReturnValues::kNone:
      return std::nullopt;
    case ReturnValues::kAllOld:
      return old_;
    case ReturnValues::kAllNew:
      return updated_;
    case ReturnValues::kUpdatedOld:
      return old_ ? unless_empty(Project(*old_, paths)) : std::nullopt;
    case ReturnValues::kUpdatedNew:
      return updated_ ? unless_empty(Project(*updated_, paths)) : std::nullopt;
  }
  std::unreachable();
}

}  // namespace kelvin::tables
