#include "tables/store.h"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <mutex>
#include <span>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include "tables/index_rows.h"
#include "tables/item_codec.h"

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

Outcome<void> RunWork(const Store::Work& work, Transaction& transaction) {
  try {
    return work(transaction);
  } catch (const std::exception& exception) {
    return std::unexpected(Failure{FailureKind::kInternalServerError, exception.what()});
  }
}

}  // namespace

Store::Store(UniqueFd lock, SessionOptions options, Session writer)
    : lock_(std::move(lock)),
      sessions_(std::move(options), std::move(writer)),
      queue_([this](std::vector<WriteJob*>& batch) { Commit(batch); }),
      current_([this](const Table& table) { return Current(table); }) {}

std::expected<std::unique_ptr<Store>, Error> Store::Open(const StoreOptions& options) {
  UniqueFd lock;
  SessionOptions session_options{":memory:", options.durability, options.max_bytes};
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
  auto loaded = store->LoadCatalog();
  if (loaded) loaded = store->LoadTotals();
  if (!loaded) return explained(std::move(loaded.error()));
  // The first format had no order of expiry.
  for (const TablePtr& table : store->AllTables()) {
    const auto& time_to_live = table->definition.time_to_live;
    if (!time_to_live || time_to_live->container != 0) continue;
    const auto filled = store->UpdateTable(table->definition.name,
                                           [](TableDefinition&) { return Outcome<void>{}; });
    if (!filled) return explained(Error{ErrorCode::kIo, filled.error().message});
  }
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
    Remember(std::make_shared<Table>(rows->Integer(0), std::move(*definition)));
  }
}

std::expected<void, Error> Store::LoadTotals() {
  const auto session = sessions_.Writer();
  auto rows = session->connection().Prepare("SELECT container, items, bytes FROM totals");
  if (!rows) return std::unexpected(std::move(rows.error()));
  while (true) {
    const auto row = rows->Step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return {};
    totals_[rows->Integer(0)] = {rows->Integer(1), rows->Integer(2)};
  }
}

void Store::Remember(TablePtr table) {
  const std::lock_guard lock(catalog_mutex_);
  catalog_[table->definition.name] = std::move(table);
}

TablePtr Store::FindTable(std::string_view name) const {
  const std::shared_lock lock(catalog_mutex_);
  const auto found = catalog_.find(name);
  return found == catalog_.end() ? nullptr : found->second;
}

TablePtr Store::Current(const Table& table) const {
  TablePtr now = FindTable(table.definition.name);
  return now && now->container == table.container ? now : nullptr;
}

std::vector<std::string> Store::TableNames(std::string_view after, std::size_t limit) const {
  const std::shared_lock lock(catalog_mutex_);
  std::vector<std::string> names;
  for (auto it = catalog_.upper_bound(after); it != catalog_.end() && names.size() < limit; ++it) {
    names.push_back(it->first);
  }
  return names;
}

std::vector<TablePtr> Store::AllTables() const {
  const std::shared_lock lock(catalog_mutex_);
  std::vector<TablePtr> tables;
  for (const auto& [name, table] : catalog_) tables.push_back(table);
  return tables;
}

Totals Store::TotalsOf(std::int64_t container) const {
  const std::shared_lock lock(catalog_mutex_);
  const auto found = totals_.find(container);
  return found == totals_.end() ? Totals{} : found->second;
}

std::expected<void, Error> Store::AddTotals(Session& session, const TotalsByContainer& change) {
  for (const auto& [container, totals] : change) {
    if (totals.items == 0 && totals.bytes == 0) continue;
    const auto statement = session.Use(Sql::kAddTotals);
    if (!statement) return std::unexpected(statement.error());
    const StatementUse use(**statement);
    (*statement)->Bind(1, container);
    (*statement)->Bind(2, totals.items);
    (*statement)->Bind(3, totals.bytes);
    const auto done = (*statement)->Step();
    if (!done) return std::unexpected(done.error());
  }
  return {};
}

Outcome<void> Store::Write(const Work& work) {
  WriteJob job{&work};
  queue_.Run(job);
  return std::move(job.result);
}

void Store::Commit(std::vector<WriteJob*>& batch) {
  const auto session = sessions_.Writer();
  const auto commit = [&](std::span<WriteJob*> jobs) {
    return CommitTogether(*session, [&](WriteGroup& group) {
      for (WriteJob* job : jobs) job->result = group.Write(*job->work);
    });
  };
  auto done = commit(batch);
  if (done) return;
  // One of them may be too large for the disk, say: the others need not fail with it.
  for (WriteJob*& job : batch) {
    if (batch.size() > 1) done = commit({&job, 1});
    if (!done) job->result = std::unexpected(FromError(done.error()));
  }
}

std::expected<void, Error> Store::WriteTogether(
    const std::function<void(WriteGroup& group)>& fill) {
  const auto session = sessions_.Writer();
  return CommitTogether(*session, fill);
}

std::expected<void, Error> Store::CommitTogether(
    Session& session, const std::function<void(WriteGroup& group)>& fill) {
  WriteGroup group(session, current_);
  auto done = InTransaction(session, [&]() -> std::expected<void, Error> {
    fill(group);
    if (group.broken_) return std::unexpected(std::move(*group.broken_));
    return AddTotals(session, group.change_);
  });
  if (!done) return done;
  const std::lock_guard lock(catalog_mutex_);
  for (const auto& [container, totals] : group.change_) {
    totals_[container].items += totals.items;
    totals_[container].bytes += totals.bytes;
  }
  return {};
}

Outcome<void> WriteGroup::Write(const Work& work) {
  if (broken_) return std::unexpected(FromError(*broken_));
  Transaction transaction(session_, current_);
  auto result = RunWork(work, transaction);
  if (!result) return result;
  if (auto applied = transaction.Apply(change_); !applied) {
    broken_ = std::move(applied.error());
    return std::unexpected(FromError(*broken_));
  }
  return result;
}

std::expected<void, Error> Store::ForgetTokens(std::int64_t now_ms) {
  const auto session = sessions_.Writer();
  const auto statement = session->Use(Sql::kForgetTokens);
  if (!statement) return std::unexpected(statement.error());
  const StatementUse use(**statement);
  (*statement)->Bind(1, now_ms);
  const auto done = (*statement)->Step();
  if (!done) return std::unexpected(done.error());
  return {};
}

std::expected<Reader, Error> Store::Read() {
  auto session = sessions_.Reader();
  if (!session) return std::unexpected(std::move(session.error()));
  // In memory there is but one session, and it is ours until the reader is gone.
  if (sessions_.in_memory()) return Reader(std::move(*session), Reader::Snapshot::kNo);
  if (auto begun = (*session)->Run(Sql::kBeginRead); !begun) {
    return std::unexpected(std::move(begun.error()));
  }
  return Reader(std::move(*session), Reader::Snapshot::kYes);
}

}  // namespace kelvin::tables
