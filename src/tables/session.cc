#include "tables/session.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <map>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/file.h"
#include "tables/item_codec.h"

namespace kelvin::tables {
namespace {

constexpr std::int64_t kApplicationId = 0x4b4c564e;  // "KLVN"
constexpr std::int64_t kFormatVersion = 2;

// Items of all tables are rows of one SQLite table, told apart by `container`: a new table is a new
// number, no change of schema that every session would have to prepare its statements again for.
constexpr std::string_view kSchema =
    "CREATE TABLE tables(container INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,"
    " definition TEXT NOT NULL);"
    "CREATE TABLE items(container INTEGER NOT NULL, partition BLOB NOT NULL, sort BLOB NOT NULL,"
    " item BLOB NOT NULL, PRIMARY KEY(container, partition, sort)) WITHOUT ROWID;";

// What the second format adds: how much is in each container, and which transactions were done.
constexpr std::string_view kSecondSchema =
    "CREATE TABLE totals(container INTEGER PRIMARY KEY, items INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL);"
    "CREATE TABLE tokens(token BLOB NOT NULL PRIMARY KEY, request BLOB NOT NULL,"
    " expires_ms INTEGER NOT NULL) WITHOUT ROWID;";

// In the order of Sql.
constexpr std::array<std::string_view, static_cast<std::size_t>(Sql::kCount)> kSql = {
    "BEGIN IMMEDIATE",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "SELECT item FROM items WHERE container = ?1 AND partition = ?2 AND sort = ?3",
    "INSERT OR REPLACE INTO items VALUES(?1, ?2, ?3, ?4)",
    "DELETE FROM items WHERE container = ?1 AND partition = ?2 AND sort = ?3",
    "SELECT item FROM items WHERE container = ?1 AND partition = ?2 AND sort >= ?3 ORDER BY sort",
    "SELECT item FROM items WHERE container = ?1 AND partition = ?2 AND sort >= ?3 AND sort < ?4"
    " ORDER BY sort",
    "SELECT item FROM items WHERE container = ?1 AND partition = ?2 AND sort >= ?3"
    " ORDER BY sort DESC",
    "SELECT item FROM items WHERE container = ?1 AND partition = ?2 AND sort >= ?3 AND sort < ?4"
    " ORDER BY sort DESC",
    "SELECT item, partition, sort FROM items WHERE container = ?1"
    " AND (partition, sort) >= (?2, ?3) ORDER BY partition, sort",
    "SELECT item, partition, sort FROM items WHERE container = ?1"
    " AND (partition, sort) >= (?2, ?3) AND partition < ?4 ORDER BY partition, sort",
    "INSERT INTO totals VALUES(?1, ?2, ?3) ON CONFLICT(container) DO UPDATE"
    " SET items = items + ?2, bytes = bytes + ?3",
    "SELECT request FROM tokens WHERE token = ?1 AND expires_ms > ?2",
    "INSERT OR REPLACE INTO tokens VALUES(?1, ?2, ?3)",
    "DELETE FROM tokens WHERE expires_ms <= ?1",
};

// The checkpoint's size spreads its cost over more commits than SQLite's own 1000 pages do.
constexpr int kCheckpointPages = 4000;

constexpr std::string_view kSettings =
    "PRAGMA journal_mode = WAL;"
    "PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -16384;"
    "PRAGMA temp_store = MEMORY; PRAGMA busy_timeout = 10000;";

std::expected<void, Error> SyncPath(const std::string& path, int flags) {
  const UniqueFd file(::open(path.c_str(), flags | O_CLOEXEC));
  if (!file.valid() || ::fsync(file.get()) != 0) {
    return std::unexpected(ErrnoError("sync " + path, errno));
  }
  return {};
}

// The first format counted items when asked; now they are counted once, here.
std::expected<void, Error> UpgradeToSecond(Connection& connection) {
  std::map<std::int64_t, std::pair<std::int64_t, std::int64_t>> totals;
  auto rows = connection.Prepare("SELECT container, item FROM items");
  if (!rows) return std::unexpected(std::move(rows.error()));
  while (true) {
    const auto row = rows->Step();
    if (!row) return std::unexpected(row.error());
    if (!*row) break;
    auto& [items, bytes] = totals[rows->Integer(0)];
    ++items;
    bytes += static_cast<std::int64_t>(EncodedItemSize(rows->Blob(1)).value_or(0));
  }
  std::string inserts;
  for (const auto& [container, total] : totals) {
    inserts +=
        fmt::format("INSERT INTO totals VALUES({}, {}, {});", container, total.first, total.second);
  }
  return connection.Execute(fmt::format("BEGIN; {} {} PRAGMA user_version = {}; COMMIT;",
                                        kSecondSchema, inserts, kFormatVersion));
}

}  // namespace

std::expected<Statement*, Error> Session::Use(Sql query) {
  const auto index = static_cast<std::size_t>(query);
  auto& [statement, prepared] = statements_[index];
  if (!prepared) {
    auto made = connection_.Prepare(kSql[index]);
    if (!made) return std::unexpected(std::move(made.error()));
    statement = std::move(*made);
    prepared = true;
  }
  return &statement;
}

std::expected<void, Error> Session::Run(Sql query) {
  const auto statement = Use(query);
  if (!statement) return std::unexpected(statement.error());
  const auto done = (*statement)->Step();
  if (!done) return std::unexpected(done.error());
  return {};
}

std::expected<Session, Error> OpenSession(const SessionOptions& options) {
  auto connection =
      Connection::Open(options.path, options.path == ":memory:" ? Connection::Create::kYes
                                                                : Connection::Create::kNo);
  if (!connection) return std::unexpected(std::move(connection.error()));
  std::string settings(kSettings);
  // FULL: a commit returns when its log is on the disk.
  settings += options.durability == Durability::kEveryCommit ? "PRAGMA synchronous = FULL;"
                                                             : "PRAGMA synchronous = NORMAL;";
  if (options.max_bytes > 0) {
    settings += fmt::format("PRAGMA max_page_count = {};",
                            options.max_bytes / static_cast<std::uint64_t>(kDatabasePageBytes));
  }
  if (auto done = connection->Execute(settings); !done) {
    return std::unexpected(std::move(done.error()));
  }
  if (options.path != ":memory:") connection->KeepLog(kCheckpointPages);
  return Session(std::move(*connection));
}

std::expected<void, Error> InitialiseDatabase(Connection& connection) {
  return connection.Execute(
      fmt::format("PRAGMA page_size = {}; PRAGMA application_id = {}; PRAGMA user_version = {};"
                  "BEGIN; {} {} COMMIT;",
                  kDatabasePageBytes, kApplicationId, kFormatVersion, kSchema, kSecondSchema));
}

std::expected<void, Error> CreateDatabase(const std::string& path) {
  const std::string fresh = path + ".new";
  std::remove(fresh.c_str());  // left by a crash, if it is there at all
  {
    auto connection = Connection::Open(fresh, Connection::Create::kYes);
    if (!connection) return std::unexpected(std::move(connection.error()));
    if (auto made = InitialiseDatabase(*connection); !made) return made;
  }
  if (auto synced = SyncPath(fresh, O_RDONLY); !synced) return synced;
  if (std::rename(fresh.c_str(), path.c_str()) != 0) {
    return std::unexpected(ErrnoError("rename " + fresh, errno));
  }
  return SyncPath(std::filesystem::path(path).parent_path(), O_RDONLY | O_DIRECTORY);
}

std::expected<void, Error> CheckDatabase(Connection& connection, const std::string& path) {
  const auto application = connection.QueryInteger("PRAGMA application_id");
  if (!application) return std::unexpected(application.error());
  const auto version = connection.QueryInteger("PRAGMA user_version");
  if (!version) return std::unexpected(version.error());
  if (*application != kApplicationId) {
    return std::unexpected(
        Error{ErrorCode::kCorrupt,
              fmt::format("{} is an SQLite database, but not one of tables; move it away", path)});
  }
  if (*version == 1) return UpgradeToSecond(connection);
  if (*version != kFormatVersion) {
    return std::unexpected(Error{
        ErrorCode::kCorrupt,
        fmt::format("expected tables in format {}, but {} is in format {}: use the version of "
                    "kelvin that wrote it",
                    kFormatVersion, path, *version)});
  }
  return {};
}

SessionPool::Lease::~Lease() {
  if (!reader_) return;
  const std::lock_guard lock(pool_->readers_mutex_);
  pool_->idle_readers_.push_back(std::move(reader_));
}

std::expected<SessionPool::Lease, Error> SessionPool::Reader() {
  if (in_memory()) return Writer();
  {
    const std::lock_guard lock(readers_mutex_);
    if (!idle_readers_.empty()) {
      auto reader = std::move(idle_readers_.back());
      idle_readers_.pop_back();
      return Lease(*this, std::move(reader));
    }
  }
  auto opened = OpenSession(options_);
  if (!opened) return std::unexpected(std::move(opened.error()));
  return Lease(*this, std::make_unique<Session>(std::move(*opened)));
}

}  // namespace kelvin::tables
