// What changes the catalog: tables that come, change and go.
#include <algorithm>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "tables/index_rows.h"
#include "tables/item_codec.h"
#include "tables/store.h"

namespace kelvin::tables {
namespace {

// Items that are read before their rows are written, when an index is filled.
constexpr std::size_t kFillBatch = 500;

Error NoSuchTable(std::string_view name) {
  return Error{ErrorCode::kNotFound, fmt::format("there is no table {}", name)};
}

// Numbers that no container has had, not even one that is gone: SQLite keeps the highest.
std::expected<std::int64_t, Error> TakeContainers(Connection& connection, std::size_t count) {
  const auto last =
      connection.QueryInteger("SELECT seq FROM sqlite_sequence WHERE name = 'tables'");
  if (!last) return std::unexpected(last.error());
  auto taken =
      connection.Execute(fmt::format("UPDATE sqlite_sequence SET seq = {} WHERE name = 'tables'",
                                     *last + static_cast<std::int64_t>(count)));
  if (!taken) return std::unexpected(std::move(taken.error()));
  return *last + 1;
}

// Gives indexes and the order of expiry a container where they have none yet.
std::expected<void, Error> AssignContainers(Connection& connection, TableDefinition& definition) {
  std::vector<std::int64_t*> without;
  for (IndexDefinition& index : definition.indexes) {
    if (index.container == 0) without.push_back(&index.container);
  }
  if (definition.time_to_live && definition.time_to_live->container == 0) {
    without.push_back(&definition.time_to_live->container);
  }
  if (without.empty()) return {};
  const auto first = TakeContainers(connection, without.size());
  if (!first) return std::unexpected(first.error());
  std::int64_t next = *first;
  for (std::int64_t* container : without) *container = next++;
  return {};
}

std::expected<void, Error> SaveDefinition(Connection& connection, std::int64_t container,
                                          const TableDefinition& definition) {
  auto update = connection.Prepare("UPDATE tables SET definition = ? WHERE container = ?");
  if (!update) return std::unexpected(std::move(update.error()));
  const std::string text = WriteDefinition(definition);
  update->BindText(1, text);
  update->Bind(2, container);
  if (const auto done = update->Step(); !done) return std::unexpected(done.error());
  return {};
}

std::vector<std::int64_t> ContainersOf(const TableDefinition& definition) {
  std::vector<std::int64_t> containers;
  for (const IndexDefinition& index : definition.indexes) containers.push_back(index.container);
  if (definition.time_to_live) containers.push_back(definition.time_to_live->container);
  return containers;
}

std::expected<void, Error> Empty(Connection& connection, std::int64_t container) {
  return connection.Execute(
      fmt::format("DELETE FROM items WHERE container = {0};"
                  "DELETE FROM totals WHERE container = {0};",
                  container));
}

struct StoredRow {
  Key place;
  std::string item;
};

// The next items of a container, from a place on.
std::expected<std::vector<StoredRow>, Error> NextRows(Session& session, std::int64_t container,
                                                      const Key& from) {
  const auto statement = session.Use(Sql::kScan);
  if (!statement) return std::unexpected(statement.error());
  const StatementUse use(**statement);
  (*statement)->Bind(1, container);
  (*statement)->Bind(2, from.partition);
  (*statement)->Bind(3, from.sort);
  std::vector<StoredRow> rows;
  while (rows.size() < kFillBatch) {
    const auto row = (*statement)->Step();
    if (!row) return std::unexpected(row.error());
    if (!*row) break;
    rows.push_back({{std::string((*statement)->Blob(1)), std::string((*statement)->Blob(2))},
                    std::string((*statement)->Blob(0))});
  }
  return rows;
}

std::expected<void, Error> PutRow(Session& session, std::int64_t container, const Key& place,
                                  std::string_view item) {
  const auto statement = session.Use(Sql::kPut);
  if (!statement) return std::unexpected(statement.error());
  const StatementUse use(**statement);
  (*statement)->Bind(1, container);
  (*statement)->Bind(2, place.partition);
  (*statement)->Bind(3, place.sort);
  (*statement)->Bind(4, item);
  const auto done = (*statement)->Step();
  if (!done) return std::unexpected(done.error());
  return {};
}

}  // namespace

std::expected<TablePtr, Error> Store::CreateTable(TableDefinition definition) {
  const auto session = sessions_.Writer();
  if (FindTable(definition.name)) {
    return std::unexpected(
        Error{ErrorCode::kAlreadyExists, fmt::format("Table already exists: {}", definition.name)});
  }
  Connection& connection = session->connection();
  std::int64_t container = 0;
  auto created = InTransaction(*session, [&]() -> std::expected<void, Error> {
    auto insert = connection.Prepare("INSERT INTO tables(name, definition) VALUES(?, '')");
    if (!insert) return std::unexpected(std::move(insert.error()));
    insert->BindText(1, definition.name);
    if (const auto done = insert->Step(); !done) return std::unexpected(done.error());
    container = connection.last_insert_id();
    if (auto assigned = AssignContainers(connection, definition); !assigned) return assigned;
    return SaveDefinition(connection, container, definition);
  });
  if (!created) return std::unexpected(std::move(created.error()));
  auto table = std::make_shared<Table>(container, std::move(definition));
  Remember(table);
  return table;
}

Outcome<TablePtr> Store::UpdateTable(std::string_view name, const Change& change) {
  const auto session = sessions_.Writer();
  const TablePtr before = FindTable(name);
  if (!before) return std::unexpected(FromError(NoSuchTable(name)));
  auto table = std::make_shared<Table>(*before);
  if (auto changed = change(table->definition); !changed) {
    return std::unexpected(std::move(changed.error()));
  }
  Connection& connection = session->connection();
  const std::vector<std::int64_t> old_containers = ContainersOf(before->definition);
  std::vector<std::int64_t> gone = old_containers;
  TotalsByContainer totals;
  auto updated = InTransaction(*session, [&]() -> std::expected<void, Error> {
    if (auto done = AssignContainers(connection, table->definition); !done) return done;
    if (auto done = SaveDefinition(connection, table->container, table->definition); !done) {
      return done;
    }
    for (const std::int64_t kept : ContainersOf(table->definition)) std::erase(gone, kept);
    for (const std::int64_t container : gone) {
      if (auto done = Empty(connection, container); !done) return done;
    }
    if (auto done = FillContainers(*session, *before, *table, totals); !done) return done;
    return AddTotals(*session, totals);
  });
  if (!updated) return std::unexpected(FromError(updated.error()));
  {
    const std::lock_guard lock(catalog_mutex_);
    for (const std::int64_t container : gone) totals_.erase(container);
    for (const auto& [container, total] : totals) totals_[container] = total;
  }
  Remember(table);
  return table;
}

std::expected<void, Error> Store::FillContainers(Session& session, const Table& before,
                                                 const Table& after, TotalsByContainer& totals) {
  const std::vector<std::int64_t> filled = ContainersOf(before.definition);
  const auto is_new = [&](std::int64_t container) {
    return std::ranges::find(filled, container) == filled.end();
  };
  const TableDefinition& definition = after.definition;
  std::vector<const IndexDefinition*> indexes;
  for (const IndexDefinition& index : definition.indexes) {
    if (is_new(index.container)) indexes.push_back(&index);
  }
  const auto& ttl = definition.time_to_live;
  const bool fills_expiry = ttl && is_new(ttl->container);
  if (indexes.empty() && !fills_expiry) return {};
  Key from;
  while (true) {
    const auto rows = NextRows(session, after.container, from);
    if (!rows) return std::unexpected(rows.error());
    if (rows->empty()) return {};
    from = {rows->back().place.partition, After(rows->back().place.sort)};
    for (const StoredRow& row : *rows) {
      const auto item = DecodeItem(row.item);
      if (!item) {
        return std::unexpected(
            Error{ErrorCode::kCorrupt,
                  fmt::format("an item of table {} is damaged on disk", definition.name)});
      }
      for (const IndexDefinition* index : indexes) {
        const auto index_row = RowOf(*index, definition.key, row.place, *item);
        if (!index_row) continue;
        totals[index->container].items += 1;
        totals[index->container].bytes += static_cast<std::int64_t>(index_row->bytes);
        auto put = PutRow(session, index->container, index_row->place, index_row->item);
        if (!put) return put;
      }
      const auto expiry =
          fills_expiry ? ExpiryPlaceOf(*ttl, row.place, *item) : std::optional<Key>{};
      if (!expiry) continue;
      if (auto put = PutRow(session, ttl->container, *expiry, ""); !put) return put;
    }
  }
}

std::expected<void, Error> Store::DeleteTable(std::string_view name) {
  const auto session = sessions_.Writer();
  const TablePtr table = FindTable(name);
  if (!table) return std::unexpected(NoSuchTable(name));
  Connection& connection = session->connection();
  std::vector<std::int64_t> containers = ContainersOf(table->definition);
  containers.push_back(table->container);
  auto deleted = InTransaction(*session, [&]() -> std::expected<void, Error> {
    for (const std::int64_t container : containers) {
      if (auto done = Empty(connection, container); !done) return done;
    }
    return connection.Execute(
        fmt::format("DELETE FROM tables WHERE container = {}", table->container));
  });
  if (!deleted) return deleted;
  const std::lock_guard lock(catalog_mutex_);
  for (const std::int64_t container : containers) totals_.erase(container);
  catalog_.erase(table->definition.name);
  return {};
}

}  // namespace kelvin::tables
