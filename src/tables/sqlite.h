#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include <sqlite3.h>

#include "base/error.h"

namespace kelvin::tables {

// Of every database.
constexpr int kDatabasePageBytes = 4096;

// A prepared statement, used by one thread at a time. What it binds must live until it is reset;
// what its columns return, until the next Step.
class Statement {
 public:
  Statement() = default;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  void Bind(int index, std::int64_t value);
  void Bind(int index, std::string_view blob);
  void BindText(int index, std::string_view text);

  // True when there is a row, false at the end. Resets itself at the end and on failure.
  std::expected<bool, Error> Step();
  std::int64_t Integer(int column) const;
  std::string_view Blob(int column) const;
  void Reset();

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// Resets a statement at the end of a scope, whichever way that is left.
class StatementUse {
 public:
  explicit StatementUse(Statement& statement) : statement_(statement) {}
  StatementUse(const StatementUse&) = delete;
  StatementUse& operator=(const StatementUse&) = delete;
  ~StatementUse() { statement_.Reset(); }

 private:
  Statement& statement_;
};

// A connection to a database file, used by one thread at a time.
class Connection {
 public:
  enum class Create { kNo, kYes };
  // `path` may be ":memory:". Fails as ErrorOf does.
  static std::expected<Connection, Error> Open(const std::string& path, Create create);

  std::expected<void, Error> Execute(const std::string& sql);
  // For statements that are run many times.
  std::expected<Statement, Error> Prepare(std::string_view sql);
  std::expected<std::int64_t, Error> QueryInteger(std::string_view sql);

  // Moves the write-ahead log into the database whenever it has grown by so many pages, and gives
  // the log its room before it is needed: to sync a page that is written over takes a disk much
  // less than to sync a file that has grown.
  void KeepLog(int checkpoint_pages);

  bool in_transaction() const { return sqlite3_get_autocommit(database_.get()) == 0; }
  std::int64_t last_insert_id() const { return sqlite3_last_insert_rowid(database_.get()); }

 private:
  struct Close {
    void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  };
  std::unique_ptr<sqlite3, Close> database_;
  std::unique_ptr<int> checkpoint_pages_;  // where the library finds it, wherever this moves
};

// What the library reports, with the file's name: kCorrupt for damage, kResourceExhausted for a
// full disk, kPermissionDenied, kAlreadyExists for a broken uniqueness, kIo for the rest.
Error ErrorOf(sqlite3* database);

}  // namespace kelvin::tables
