#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "tables/failure.h"
#include "tables/key.h"
#include "tables/schema.h"
#include "tables/session.h"
#include "tables/transaction.h"
#include "tables/write_queue.h"

namespace kelvin::tables {

struct StoreOptions {
  std::optional<std::filesystem::path> folder;  // none: in memory
  Durability durability = Durability::kEveryCommit;
  std::uint64_t max_bytes = 0;  // fails as a full disk does beyond; 0: the disk's own limit
};

enum class Visit { kContinue, kStop };
// Sees an item's stored form, which is gone when it returns. It must not use the store, but for
// Reader::Get of the reader that calls it.
using Visitor = std::function<Visit(std::string_view item)>;
using PlaceVisitor =
    std::function<Visit(std::string_view partition, std::string_view sort, std::string_view item)>;

enum class Order { kAscending, kDescending };

struct ScanRange {
  std::string first_partition;                // from this place on,
  std::string first_sort;                     //
  std::optional<std::string> last_partition;  // to before this partition
};

// Reads containers: those of tables and those of their indexes. Everything that one of them reads
// is as of one moment. Used by one thread.
class Reader {
 public:
  // Does not call the visitor where there is no such item.
  std::expected<void, Error> Get(std::int64_t container, const Key& key, const Visitor& visitor);
  std::expected<void, Error> Query(std::int64_t container, std::string_view partition,
                                   const SortRange& range, Order order, const Visitor& visitor);
  std::expected<void, Error> Scan(std::int64_t container, const ScanRange& range,
                                  const PlaceVisitor& visitor);

  Reader(Reader&&) = default;
  Reader& operator=(Reader&&) = delete;
  ~Reader();

 private:
  friend class Store;
  enum class Snapshot { kNo, kYes };
  Reader(SessionPool::Lease session, Snapshot snapshot)
      : session_(std::move(session)), snapshot_(snapshot) {}

  SessionPool::Lease session_;
  Snapshot snapshot_;
};

// Writes that share one commit, done one after another by one thread.
class WriteGroup {
 public:
  using Work = std::function<Outcome<void>(Transaction& transaction)>;
  // As Store::Write, but on the disk only when the whole group is. What the group wrote before is
  // seen. Fails at once where the database has failed the group already.
  Outcome<void> Write(const Work& work);

 private:
  friend class Store;
  WriteGroup(Session& session, const CurrentTable& current)
      : session_(session), current_(current) {}

  Session& session_;
  const CurrentTable& current_;
  TotalsByContainer change_;
  std::optional<Error> broken_;
};

// Tables and their items, in one SQLite database. Thread-safe: concurrent writers share commits,
// readers see the last commit and wait for nobody where there is a file.
class Store {
 public:
  // Fails as Tables::Open does.
  static std::expected<std::unique_ptr<Store>, Error> Open(const StoreOptions& options);

  TablePtr FindTable(std::string_view name) const;
  // Names after `after`, in ascending order.
  std::vector<std::string> TableNames(std::string_view after, std::size_t limit) const;
  std::vector<TablePtr> AllTables() const;
  // Of a table or an index.
  Totals TotalsOf(std::int64_t container) const;

  // Fails with kAlreadyExists where the name is taken.
  std::expected<TablePtr, Error> CreateTable(TableDefinition definition);
  // Replaces the definition of the same name by what `change` makes of it, and fills indexes that
  // it did not have, and the order of expiry. Fails with kNotFound, or as `change` does.
  using Change = std::function<Outcome<void>(TableDefinition& definition)>;
  Outcome<TablePtr> UpdateTable(std::string_view name, const Change& change);
  // The table and its items. Fails with kNotFound.
  std::expected<void, Error> DeleteTable(std::string_view name);

  // Runs `work` as if alone. What it wrote is on the disk when this returns, or, where either
  // fails, is not there at all. `work` may run more than once.
  using Work = WriteGroup::Work;
  Outcome<void> Write(const Work& work);
  // Runs `fill`, and commits what it wrote through the group. Where that fails, nothing of it is
  // there, whatever the group's own answers said. `fill` may use the store otherwise, to read only,
  // and in memory not at all.
  std::expected<void, Error> WriteTogether(const std::function<void(WriteGroup& group)>& fill);
  // Drops tokens that have expired.
  std::expected<void, Error> ForgetTokens(std::int64_t now_ms);

  std::expected<Reader, Error> Read();
  bool in_memory() const { return sessions_.in_memory(); }

 private:
  Store(UniqueFd lock, SessionOptions options, Session writer);
  std::expected<void, Error> LoadCatalog();
  std::expected<void, Error> LoadTotals();
  TablePtr Current(const Table& table) const;
  void Commit(std::vector<WriteJob*>& batch);
  std::expected<void, Error> CommitTogether(Session& session,
                                            const std::function<void(WriteGroup& group)>& fill);
  std::expected<void, Error> AddTotals(Session& session, const TotalsByContainer& change);
  // Commits what `body`, which returns an expected with an Error, wrote; undoes it where either
  // fails.
  template <typename Body>
  auto InTransaction(Session& session, Body body) -> decltype(body());
  std::expected<void, Error> FillContainers(Session& session, const Table& before,
                                            const Table& after, TotalsByContainer& totals);
  void Remember(TablePtr table);

  UniqueFd lock_;  // keeps other processes out while it is open
  SessionPool sessions_;
  WriteQueue queue_;
  CurrentTable current_;
  mutable std::shared_mutex catalog_mutex_;
  std::map<std::string, TablePtr, std::less<>> catalog_;
  TotalsByContainer totals_;
};

template <typename Body>
auto Store::InTransaction(Session& session, Body body) -> decltype(body()) {
  if (auto begun = session.Run(Sql::kBegin); !begun) return std::unexpected(begun.error());
  auto result = body();
  if (result) {
    auto committed = session.Run(Sql::kCommit);
    if (committed) return result;
    result = std::unexpected(std::move(committed.error()));
  }
  // Some failures roll back by themselves; a failing rollback leaves nothing else to try.
  if (session.connection().in_transaction()) (void)session.Run(Sql::kRollback);
  return result;
}

}  // namespace kelvin::tables
