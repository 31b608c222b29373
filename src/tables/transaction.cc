#include "tables/transaction.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "tables/index_rows.h"
#include "tables/item_codec.h"

namespace kelvin::tables {
namespace {

Failure Damaged(const Table& table) {
  return FromError(Error{ErrorCode::kCorrupt, fmt::format("an item of table {} is damaged on disk",
                                                          table.definition.name)});
}

void BindPlace(Statement& statement, std::int64_t container, const Key& place) {
  statement.Bind(1, container);
  statement.Bind(2, place.partition);
  statement.Bind(3, place.sort);
}

std::int64_t Signed(std::size_t size) {
  return static_cast<std::int64_t>(size);
}

}  // namespace

Outcome<std::optional<std::string>> Transaction::Get(const Table& table, const Key& key) {
  if (!current_(table)) return NotFound();
  for (auto row = rows_.rbegin(); row != rows_.rend(); ++row) {
    if (row->container == table.container && row->place == key) return row->item;
  }
  const auto statement = session_.Use(Sql::kGet);
  if (!statement) return std::unexpected(FromError(statement.error()));
  const StatementUse use(**statement);
  BindPlace(**statement, table.container, key);
  const auto row = (*statement)->Step();
  if (!row) return std::unexpected(FromError(row.error()));
  if (!*row) return std::nullopt;
  return std::string((*statement)->Blob(0));
}

Outcome<WriteEffect> Transaction::Replace(const Table& table, const Key& key,
                                          const std::optional<std::string>& before,
                                          const Item* after) {
  const TablePtr current = current_(table);
  if (!current) return NotFound();
  WriteEffect effect;
  if (before) {
    const auto size = EncodedItemSize(*before);
    if (!size) return std::unexpected(Damaged(table));
    effect.bytes_before = *size;
  }
  if (after != nullptr) effect.bytes_after = SizeOf(*after);
  if (!before && after == nullptr) return effect;
  const TableDefinition& definition = current->definition;
  if (!definition.indexes.empty() || definition.time_to_live) {
    std::optional<Item> old;
    if (before) {
      old = DecodeItem(*before);
      if (!old) return std::unexpected(Damaged(table));
    }
    ReplaceIndexRows(*current, key, old, after, effect);
    if (definition.time_to_live) ReplaceExpiry(*definition.time_to_live, key, old, after);
  }
  rows_.push_back(
      {table.container, key, after != nullptr ? std::optional(EncodeItem(*after)) : std::nullopt});
  Count(table.container, (after != nullptr ? 1 : 0) - (before ? 1 : 0),
        Signed(effect.bytes_after) - Signed(effect.bytes_before));
  return effect;
}

void Transaction::ReplaceIndexRows(const Table& table, const Key& key,
                                   const std::optional<Item>& before, const Item* after,
                                   WriteEffect& effect) {
  const KeySchema& table_key = table.definition.key;
  for (const IndexDefinition& index : table.definition.indexes) {
    auto old_row = before ? RowOf(index, table_key, key, *before) : std::nullopt;
    auto new_row = after != nullptr ? RowOf(index, table_key, key, *after) : std::nullopt;
    if (!old_row && !new_row) continue;
    const bool same_place = old_row && new_row && old_row->place == new_row->place;
    if (same_place && old_row->item == new_row->item) continue;
    IndexChange change{index.name, index.kind, 0, 0};
    Count(index.container, (new_row ? 1 : 0) - (old_row ? 1 : 0),
          Signed(new_row ? new_row->bytes : 0) - Signed(old_row ? old_row->bytes : 0));
    if (new_row) {
      change.written_bytes = same_place ? std::max(old_row->bytes, new_row->bytes) : new_row->bytes;
    }
    if (old_row && !same_place) {
      change.removed_bytes = old_row->bytes;
      rows_.push_back({index.container, std::move(old_row->place), std::nullopt});
    }
    if (new_row) {
      rows_.push_back({index.container, std::move(new_row->place), std::move(new_row->item)});
    }
    effect.indexes.push_back(std::move(change));
  }
}

void Transaction::ReplaceExpiry(const TimeToLive& time_to_live, const Key& key,
                                const std::optional<Item>& before, const Item* after) {
  auto old_place = before ? ExpiryPlaceOf(time_to_live, key, *before) : std::nullopt;
  auto new_place = after != nullptr ? ExpiryPlaceOf(time_to_live, key, *after) : std::nullopt;
  if (old_place == new_place) return;
  if (old_place) rows_.push_back({time_to_live.container, std::move(*old_place), std::nullopt});
  if (new_place) rows_.push_back({time_to_live.container, std::move(*new_place), std::string{}});
}

Outcome<std::optional<std::string>> Transaction::FindToken(std::string_view token,
                                                           std::int64_t now_ms) {
  const auto statement = session_.Use(Sql::kFindToken);
  if (!statement) return std::unexpected(FromError(statement.error()));
  const StatementUse use(**statement);
  (*statement)->Bind(1, token);
  (*statement)->Bind(2, now_ms);
  const auto row = (*statement)->Step();
  if (!row) return std::unexpected(FromError(row.error()));
  if (!*row) return std::nullopt;
  return std::string((*statement)->Blob(0));
}

void Transaction::KeepToken(std::string token, std::string request, std::int64_t expires_ms) {
  token_ = Token{std::move(token), std::move(request), expires_ms};
}

void Transaction::Count(std::int64_t container, std::int64_t items, std::int64_t bytes) {
  Totals& totals = totals_[container];
  totals.items += items;
  totals.bytes += bytes;
}

std::expected<void, Error> Transaction::Write(const Row& row) {
  const auto statement = session_.Use(row.item ? Sql::kPut : Sql::kDelete);
  if (!statement) return std::unexpected(statement.error());
  const StatementUse use(**statement);
  BindPlace(**statement, row.container, row.place);
  if (row.item) (*statement)->Bind(4, *row.item);
  const auto done = (*statement)->Step();
  if (!done) return std::unexpected(done.error());
  return {};
}

std::expected<void, Error> Transaction::Apply(TotalsByContainer& totals) {
  for (const Row& row : rows_) {
    if (auto written = Write(row); !written) return written;
  }
  for (const auto& [container, change] : totals_) {
    totals[container].items += change.items;
    totals[container].bytes += change.bytes;
  }
  if (!token_) return {};
  const auto statement = session_.Use(Sql::kKeepToken);
  if (!statement) return std::unexpected(statement.error());
  const StatementUse use(**statement);
  (*statement)->Bind(1, token_->token);
  (*statement)->Bind(2, token_->request);
  (*statement)->Bind(3, token_->expires_ms);
  const auto done = (*statement)->Step();
  if (!done) return std::unexpected(done.error());
  return {};
}

}  // namespace kelvin::tables
