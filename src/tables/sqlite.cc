#include "tables/sqlite.h"

#include <utility>

#include <fmt/format.h>

namespace kelvin::tables {
namespace {

ErrorCode CodeOf(int result) {
  switch (result & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::kCorrupt;
    case SQLITE_FULL:
    case SQLITE_NOMEM:
      return ErrorCode::kResourceExhausted;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return ErrorCode::kPermissionDenied;
    case SQLITE_CONSTRAINT:
      return ErrorCode::kAlreadyExists;
    default:
      return ErrorCode::kIo;
  }
}

// A page in the log has a header of its own (https://www.sqlite.org/walformat.html).
constexpr sqlite3_int64 kLogHeaderBytes = 32;
constexpr sqlite3_int64 kFrameHeaderBytes = 24;
// Room for some sixty small commits: written with one of them, it does not delay that one much.
constexpr sqlite3_int64 kLogRoomBytes = 256 * 1024;
constexpr int kPieceBytes = 64 * 1024;  // the library takes less than 128 KB at once

// Zeros behind the log's end are no frames, and a recovery stops at them. A disk that is full will
// say so to whoever needs the room.
void MakeLogRoom(sqlite3* database, const char* name, int pages) {
  static constexpr char kZeros[kPieceBytes] = {};
  sqlite3_file* log = nullptr;
  sqlite3_int64 size = 0;
  if (sqlite3_file_control(database, name, SQLITE_FCNTL_JOURNAL_POINTER, &log) != SQLITE_OK ||
      log->pMethods == nullptr || log->pMethods->xFileSize(log, &size) != SQLITE_OK) {
    return;
  }
  const sqlite3_int64 used = kLogHeaderBytes + pages * (kFrameHeaderBytes + kDatabasePageBytes);
  if (size > used) return;
  for (sqlite3_int64 at = used; at < used + kLogRoomBytes; at += kPieceBytes) {
    if (log->pMethods->xWrite(log, kZeros, kPieceBytes, at) != SQLITE_OK) return;
  }
}

int AfterCommit(void* checkpoint_pages, sqlite3* database, const char* name, int pages) {
  if (pages >= *static_cast<const int*>(checkpoint_pages)) {
    // Where it fails, the log just goes on growing until it does not.
    sqlite3_wal_checkpoint_v2(database, name, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  }
  MakeLogRoom(database, name, pages);
  return SQLITE_OK;
}

}  // namespace

Error ErrorOf(sqlite3* database) {
  const int result = sqlite3_extended_errcode(database);
  const char* name = sqlite3_db_filename(database, "main");
  return Error{CodeOf(result),
               fmt::format("SQLite on {}: {} (code {})",
                           name != nullptr && *name != '\0' ? name : "the tables in memory",
                           sqlite3_errmsg(database), result)};
}

void Statement::Bind(int index, std::int64_t value) {
  sqlite3_bind_int64(statement_.get(), index, value);
}

void Statement::Bind(int index, std::string_view blob) {
  // A null pointer would bind NULL, which is no empty blob.
  sqlite3_bind_blob64(statement_.get(), index, blob.empty() ? "" : blob.data(), blob.size(),
                      SQLITE_STATIC);
}

void Statement::BindText(int index, std::string_view text) {
  sqlite3_bind_text64(statement_.get(), index, text.empty() ? "" : text.data(), text.size(),
                      SQLITE_STATIC, SQLITE_UTF8);
}

std::expected<bool, Error> Statement::Step() {
  const int result = sqlite3_step(statement_.get());
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) {
    Reset();
    return false;
  }
  Error error = ErrorOf(sqlite3_db_handle(statement_.get()));
  Reset();
  return std::unexpected(std::move(error));
}

std::int64_t Statement::Integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::Blob(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return data == nullptr ? std::string_view{} : std::string_view(data, static_cast<size_t>(size));
}

void Statement::Reset() {
  sqlite3_reset(statement_.get());
}

std::expected<Connection, Error> Connection::Open(const std::string& path, Create create) {
  Connection connection;
  sqlite3* database = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (create == Create::kYes ? SQLITE_OPEN_CREATE : 0);
  // One process at a time has the file, so locks between processes, two system calls for every
  // read, would keep nobody out.
  const char* locks = path == ":memory:" ? nullptr : "unix-excl";
  const int result = sqlite3_open_v2(path.c_str(), &database, flags, locks);
  connection.database_.reset(database);
  if (result == SQLITE_OK) return connection;
  return std::unexpected(Error{
      CodeOf(result), fmt::format("cannot open {}: {}", path,
                                  database != nullptr ? sqlite3_errmsg(database) : "no memory")});
}

void Connection::KeepLog(int checkpoint_pages) {
  checkpoint_pages_ = std::make_unique<int>(checkpoint_pages);
  sqlite3_wal_hook(database_.get(), &AfterCommit, checkpoint_pages_.get());
}

std::expected<void, Error> Connection::Execute(const std::string& sql) {
  if (sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return std::unexpected(ErrorOf(database_.get()));
}

std::expected<Statement, Error> Connection::Prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
    return std::unexpected(ErrorOf(database_.get()));
  }
  return Statement(statement);
}

std::expected<std::int64_t, Error> Connection::QueryInteger(std::string_view sql) {
  auto statement = Prepare(sql);
  if (!statement) return std::unexpected(std::move(statement.error()));
  const auto row = statement->Step();
  if (!row) return std::unexpected(row.error());
  return *row ? statement->Integer(0) : 0;
}

}  // namespace kelvin::tables
