#include "tables/store.h"

#include <cerrno>
#include <mutex>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

namespace kelvin::tables {
namespace {

constexpr std::string_view kFileName = "tables.db";

std::expected<UniqueFd, Error> LockFolder(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "lock";
  UniqueFd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!lock.valid()) return std::unexpected(ErrnoError("open " + path.string(), errno));
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) return std::unexpected(ErrnoError("lock " + path.string(), errno));
  return std::unexpected(
      Error{ErrorCode::kAlreadyExists,
            fmt::format("the tables in {} are in use by another process; end it, or choose "
                        "another folder",
                        folder.string())});
}

// An empty or vanished file beside a log is damage: SQLite would start afresh without a word.
std::expected<void, Error> EnsureDatabase(const std::filesystem::path& path) {
  std::error_code error;
  const std::filesystem::path log = path.string() + "-wal";
  if (!std::filesystem::exists(path, error)) {
    if (!std::filesystem::exists(log, error)) return CreateDatabase(path);
    return std::unexpected(
        Error{ErrorCode::kCorrupt, fmt::format("{} is gone, but its log {} is there; put it back, "
                                               "or move the log away to begin afresh",
                                               path.string(), log.string())});
  }
  if (std::filesystem::file_size(path, error) == 0 && !error) {
    return std::unexpected(
        Error{ErrorCode::kCorrupt, fmt::format("{} is empty, and was not so when it was written; "
                                               "put it back, or move it away to begin afresh",
                                               path.string())});
  }
  return {};
}

Error Explained(Error error, const std::filesystem::path& folder) {
  if (error.code == ErrorCode::kCorrupt) {
    error.message += fmt::format("; {} is left as it is", folder.string());
  }
  return error;
}

std::expected<void, Error> VisitRows(Statement& statement, const Visitor& visitor) {
  const StatementUse use(statement);
  while (true) {
    const auto row = statement.Step();
    if (!row) return std::unexpected(row.error());
    if (!*row || visitor(statement.Blob(0)) == Visit::kStop) return {};
  }
}

void BindPlace(Statement& statement, const Table& table, std::string_view partition,
               std::string_view sort) {
  statement.Bind(1, table.container);
  statement.Bind(2, partition);
  statement.Bind(3, sort);
}

Error NoSuchTable(std::string_view name) {
  return Error{ErrorCode::kNotFound, fmt::format("there is no table {}", name)};
}

}  // namespace

std::expected<std::optional<std::string>, Error> Transaction::Get(const Table& table,
                                                                  const Key& key) {
  const auto statement = session_.Use(Sql::kGet);
  if (!statement) return std::unexpected(statement.error());
  const StatementUse use(**statement);
  BindPlace(**statement, table, key.partition, key.sort);
  const auto row = (*statement)->Step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return std::nullopt;
  return std::string((*statement)->Blob(0));
}

std::expected<void, Error> Transaction::Put(const Table& table, const Key& key,
                                            std::string_view item) {
  const auto statement = session_.Use(Sql::kPut);
  if (!statement) return std::unexpected(statement.error());
  BindPlace(**statement, table, key.partition, key.sort);
  (*statement)->Bind(4, item);
  const auto done = (*statement)->Step();
  if (!done) return std::unexpected(done.error());
  return {};
}

std::expected<void, Error> Transaction::Delete(const Table& table, const Key& key) {
  const auto statement = session_.Use(Sql::kDelete);
  if (!statement) return std::unexpected(statement.error());
  BindPlace(**statement, table, key.partition, key.sort);
  const auto done = (*statement)->Step();
  if (!done) return std::unexpected(done.error());
  return {};
}

Store::Store(UniqueFd lock, SessionOptions options, Session writer)
    : lock_(std::move(lock)), sessions_(std::move(options), std::move(writer)) {}

std::expected<std::unique_ptr<Store>, Error> Store::Open(const StoreOptions& options) {
  UniqueFd lock;
  SessionOptions session_options{":memory:", options.max_bytes};
  if (options.folder) {
    std::error_code error;
    std::filesystem::create_directories(*options.folder, error);
    if (error) {
      return std::unexpected(ErrnoError("make " + options.folder->string(), error.value()));
    }
    auto locked = LockFolder(*options.folder);
    if (!locked) return std::unexpected(std::move(locked.error()));
    lock = std::move(*locked);
    const std::filesystem::path path = *options.folder / kFileName;
    if (auto there = EnsureDatabase(path); !there) return std::unexpected(there.error());
    session_options.path = path;
  }
  const auto explained = [&](Error error) {
    return std::unexpected(options.folder ? Explained(std::move(error), *options.folder)
                                          : std::move(error));
  };
  auto writer = OpenSession(session_options);
  if (!writer) return explained(std::move(writer.error()));
  auto ready = options.folder ? CheckDatabase(writer->connection(), session_options.path)
                              : InitialiseDatabase(writer->connection());
  if (!ready) return explained(std::move(ready.error()));
  std::unique_ptr<Store> store(
      new Store(std::move(lock), std::move(session_options), std::move(*writer)));
  if (auto loaded = store->LoadCatalog(); !loaded) return explained(std::move(loaded.error()));
  return store;
}

std::expected<void, Error> Store::LoadCatalog() {
  const auto session = sessions_.Writer();
  auto rows = session->connection().Prepare("SELECT container, definition FROM tables");
  if (!rows) return std::unexpected(std::move(rows.error()));
  while (true) {
    const auto row = rows->Step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return {};
    auto definition = ReadDefinition(rows->Blob(1));
    if (!definition) return std::unexpected(std::move(definition.error()));
    const std::string name = definition->name;
    catalog_[name] = std::make_shared<Table>(rows->Integer(0), std::move(*definition));
  }
}

TablePtr Store::FindTable(std::string_view name) const {
  const std::shared_lock lock(catalog_mutex_);
  const auto found = catalog_.find(name);
  return found == catalog_.end() ? nullptr : found->second;
}

std::vector<std::string> Store::TableNames(std::string_view after, std::size_t limit) const {
  const std::shared_lock lock(catalog_mutex_);
  std::vector<std::string> names;
  for (auto it = catalog_.upper_bound(after); it != catalog_.end() && names.size() < limit; ++it) {
    names.push_back(it->first);
  }
  return names;
}

bool Store::IsCurrent(const Table& table) const {
  const TablePtr now = FindTable(table.definition.name);
  return now && now->container == table.container;
}

// Commits what `body`, which returns some expected, wrote; undoes it where either fails.
template <typename Body>
auto Store::InTransaction(Session& session, Body body) -> decltype(body()) {
  const auto failed = [](Error error) {
    if constexpr (std::is_same_v<typename decltype(body())::error_type, Failure>) {
      return std::unexpected(FromError(error));
    } else {
      return std::unexpected(std::move(error));
    }
  };
  if (auto begun = session.Run(Sql::kBegin); !begun) return failed(std::move(begun.error()));
  auto result = body();
  if (result) {
    const auto committed = session.Run(Sql::kCommit);
    if (committed) return result;
    result = failed(committed.error());
  }
  // Some failures roll back by themselves; a failing rollback leaves nothing else to try.
  if (session.connection().in_transaction()) (void)session.Run(Sql::kRollback);
  return result;
}

std::expected<TablePtr, Error> Store::CreateTable(TableDefinition definition) {
  const auto session = sessions_.Writer();
  if (FindTable(definition.name)) {
    return std::unexpected(
        Error{ErrorCode::kAlreadyExists, fmt::format("Table already exists: {}", definition.name)});
  }
  auto insert = session->connection().Prepare("INSERT INTO tables(name, definition) VALUES(?, ?)");
  if (!insert) return std::unexpected(std::move(insert.error()));
  const std::string text = WriteDefinition(definition);
  insert->BindText(1, definition.name);
  insert->BindText(2, text);
  if (const auto done = insert->Step(); !done) return std::unexpected(done.error());
  auto table =
      std::make_shared<Table>(session->connection().last_insert_id(), std::move(definition));
  const std::lock_guard lock(catalog_mutex_);
  catalog_[table->definition.name] = table;
  return table;
}

std::expected<TablePtr, Error> Store::UpdateTable(TableDefinition definition) {
  const auto session = sessions_.Writer();
  const TablePtr before = FindTable(definition.name);
  if (!before) return std::unexpected(NoSuchTable(definition.name));
  auto update = session->connection().Prepare("UPDATE tables SET definition = ? WHERE name = ?");
  if (!update) return std::unexpected(std::move(update.error()));
  const std::string text = WriteDefinition(definition);
  update->BindText(1, text);
  update->BindText(2, definition.name);
  if (const auto done = update->Step(); !done) return std::unexpected(done.error());
  auto table = std::make_shared<Table>(before->container, std::move(definition));
  const std::lock_guard lock(catalog_mutex_);
  catalog_[table->definition.name] = table;
  return table;
}

std::expected<void, Error> Store::DeleteTable(std::string_view name) {
  const auto session = sessions_.Writer();
  const TablePtr table = FindTable(name);
  if (!table) return std::unexpected(NoSuchTable(name));
  Connection& connection = session->connection();
  auto deleted = InTransaction(*session, [&]() -> std::expected<void, Error> {
    return connection.Execute(
        fmt::format("DELETE FROM tables WHERE container = {0};"
                    "DELETE FROM items WHERE container = {0};",
                    table->container));
  });
  if (!deleted) return deleted;
  const std::lock_guard lock(catalog_mutex_);
  catalog_.erase(table->definition.name);
  return {};
}

Outcome<void> Store::Write(const Table& table, const Work& work) {
  const auto session = sessions_.Writer();
  if (!IsCurrent(table)) return NotFound();
  return InTransaction(*session, [&] {
    Transaction transaction(*session);
    return work(transaction);
  });
}

std::expected<void, Error> Store::Get(const Table& table, const Key& key, const Visitor& visitor) {
  const auto session = sessions_.Reader();
  if (!session) return std::unexpected(session.error());
  const auto statement = (*session)->Use(Sql::kGet);
  if (!statement) return std::unexpected(statement.error());
  BindPlace(**statement, table, key.partition, key.sort);
  return VisitRows(**statement, visitor);
}

std::expected<void, Error> Store::Query(const Table& table, std::string_view partition,
                                        const SortRange& range, Order order,
                                        const Visitor& visitor) {
  const auto session = sessions_.Reader();
  if (!session) return std::unexpected(session.error());
  const bool ascending = order == Order::kAscending;
  const Sql query = range.high
                        ? (ascending ? Sql::kQueryAscendingBefore : Sql::kQueryDescendingBefore)
                        : (ascending ? Sql::kQueryAscending : Sql::kQueryDescending);
  const auto statement = (*session)->Use(query);
  if (!statement) return std::unexpected(statement.error());
  BindPlace(**statement, table, partition, range.low);
  if (range.high) (*statement)->Bind(4, *range.high);
  return VisitRows(**statement, visitor);
}

std::expected<void, Error> Store::Scan(const Table& table, const ScanRange& range,
                                       const Visitor& visitor) {
  const auto session = sessions_.Reader();
  if (!session) return std::unexpected(session.error());
  const auto statement = (*session)->Use(range.last_partition ? Sql::kScanBefore : Sql::kScan);
  if (!statement) return std::unexpected(statement.error());
  BindPlace(**statement, table, range.first_partition, range.first_sort);
  if (range.last_partition) (*statement)->Bind(4, *range.last_partition);
  return VisitRows(**statement, visitor);
}

std::expected<Totals, Error> Store::CountItems(const Table& table) {
  const auto session = sessions_.Reader();
  if (!session) return std::unexpected(session.error());
  const auto statement = (*session)->Use(Sql::kTotals);
  if (!statement) return std::unexpected(statement.error());
  const StatementUse use(**statement);
  (*statement)->Bind(1, table.container);
  const auto row = (*statement)->Step();
  if (!row) return std::unexpected(row.error());
  return Totals{(*statement)->Integer(0), (*statement)->Integer(1)};
}

}  // namespace kelvin::tables
