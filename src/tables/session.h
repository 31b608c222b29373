#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "tables/sqlite.h"

namespace kelvin::tables {

// Everything the store ever runs more than once.
enum class Sql {
  kBegin,
  kBeginRead,
  kCommit,
  kRollback,
  kGet,
  kPut,
  kDelete,
  kQueryAscending,         // to the partition's end
  kQueryAscendingBefore,   // before a sort key
  kQueryDescending,        // from the partition's end
  kQueryDescendingBefore,  // from before a sort key
  kScan,                   // to the table's end
  kScanBefore,             // before a partition
  kAddTotals,
  kFindToken,
  kKeepToken,
  kForgetTokens,
  kCount,
};

// A connection with its prepared statements, used by one thread at a time.
class Session {
 public:
  explicit Session(Connection connection) : connection_(std::move(connection)) {}

  Connection& connection() { return connection_; }
  // Prepared at its first use.
  std::expected<Statement*, Error> Use(Sql query);
  // For queries without parameters and rows.
  std::expected<void, Error> Run(Sql query);

 private:
  Connection connection_;
  std::array<std::pair<Statement, bool>, static_cast<std::size_t>(Sql::kCount)> statements_{};
};

enum class Durability {
  kEveryCommit,  // an acknowledged write survives a power failure
  kCheckpoints,  // it survives the end of the process, and a power failure some seconds later
};

struct SessionOptions {
  std::string path;  // ":memory:" for a store without a file
  Durability durability = Durability::kEveryCommit;
  // The file's largest size, as if the disk were full beyond; 0: the disk's own limit.
  std::uint64_t max_bytes = 0;
};

// Opens an existing database the way every session has it. Fails as ErrorOf does.
std::expected<Session, Error> OpenSession(const SessionOptions& options);

// Makes a new, empty database at `path` in one step: after a crash it is there whole, or not.
std::expected<void, Error> CreateDatabase(const std::string& path);
// Makes the tables within a new database in memory.
std::expected<void, Error> InitialiseDatabase(Connection& connection);
// Brings a database of an older format to this one. Fails with kCorrupt where the file is no
// database of this program, or a newer version's.
std::expected<void, Error> CheckDatabase(Connection& connection, const std::string& path);

// One session for writing and, for files, as many for reading as are ever in use at once. In memory
// there is but one session for everything. Thread-safe.
class SessionPool {
 public:
  SessionPool(SessionOptions options, Session writer)
      : options_(std::move(options)), writer_(std::move(writer)) {}

  // A session for the time being of the object.
  class Lease {
   public:
    Lease(Lease&& other) noexcept
        : session_(std::exchange(other.session_, nullptr)),
          lock_(std::move(other.lock_)),
          pool_(other.pool_),
          reader_(std::move(other.reader_)) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease();
    explicit operator bool() const { return session_ != nullptr; }
    Session* operator->() const { return session_; }
    Session& operator*() const { return *session_; }

   private:
    friend class SessionPool;
    Lease(Session& writer, std::unique_lock<std::mutex> lock)
        : session_(&writer), lock_(std::move(lock)) {}
    Lease(SessionPool& pool, std::unique_ptr<Session> reader)
        : session_(reader.get()), pool_(&pool), reader_(std::move(reader)) {}

    Session* session_;
    std::unique_lock<std::mutex> lock_;
    SessionPool* pool_ = nullptr;
    std::unique_ptr<Session> reader_;
  };

  Lease Writer() { return Lease(writer_, std::unique_lock(writer_mutex_)); }
  std::expected<Lease, Error> Reader();
  bool in_memory() const { return options_.path == ":memory:"; }

 private:
  SessionOptions options_;
  std::mutex writer_mutex_;
  Session writer_;
  std::mutex readers_mutex_;
  std::vector<std::unique_ptr<Session>> idle_readers_;
};

}  // namespace kelvin::tables
