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

namespace kelvin::tables {

// A table as it was at some moment.
struct Table {
  std::int64_t container = 0;  // never used again, not even after the table is deleted
  TableDefinition definition;
};
using TablePtr = std::shared_ptr<const Table>;

struct StoreOptions {
  std::optional<std::filesystem::path> folder;  // none: in memory
  std::uint64_t max_bytes = 0;  // fails as a full disk does beyond; 0: the disk's own limit
};

enum class Visit { kContinue, kStop };
// Sees an item's stored form, which is gone when it returns. It must not use the store.
using Visitor = std::function<Visit(std::string_view item)>;

enum class Order { kAscending, kDescending };

struct ScanRange {
  std::string first_partition;                // from this place on,
  std::string first_sort;                     //
  std::optional<std::string> last_partition;  // to before this partition
};

struct Totals {
  std::int64_t items = 0;
  std::int64_t bytes = 0;
};

// Writes that belong together. Valid within Store::Write only.
class Transaction {
 public:
  explicit Transaction(Session& session) : session_(session) {}

  // The item's stored form.
  std::expected<std::optional<std::string>, Error> Get(const Table& table, const Key& key);
  std::expected<void, Error> Put(const Table& table, const Key& key, std::string_view item);
  std::expected<void, Error> Delete(const Table& table, const Key& key);

 private:
  Session& session_;
};

// Tables and their items, in one SQLite database. Thread-safe: writers take turns, readers see the
// last commit and wait for nobody where there is a file.
class Store {
 public:
  // Fails as Tables::Open does.
  static std::expected<std::unique_ptr<Store>, Error> Open(const StoreOptions& options);

  TablePtr FindTable(std::string_view name) const;
  // Names after `after`, in ascending order.
  std::vector<std::string> TableNames(std::string_view after, std::size_t limit) const;

  // Fails with kAlreadyExists where the name is taken.
  std::expected<TablePtr, Error> CreateTable(TableDefinition definition);
  // Replaces the definition of the same name. Fails with kNotFound.
  std::expected<TablePtr, Error> UpdateTable(TableDefinition definition);
  // The table and its items. Fails with kNotFound.
  std::expected<void, Error> DeleteTable(std::string_view name);

  // Runs `work` with no other writer about. What it wrote is on the disk when this returns, or,
  // where either fails, is undone. `table` must be current: else this fails as NotFound() does.
  using Work = std::function<Outcome<void>(Transaction& transaction)>;
  Outcome<void> Write(const Table& table, const Work& work);

  // Does not call the visitor where there is no such item.
  std::expected<void, Error> Get(const Table& table, const Key& key, const Visitor& visitor);
  std::expected<void, Error> Query(const Table& table, std::string_view partition,
                                   const SortRange& range, Order order, const Visitor& visitor);
  std::expected<void, Error> Scan(const Table& table, const ScanRange& range,
                                  const Visitor& visitor);
  // Counts them one by one.
  std::expected<Totals, Error> CountItems(const Table& table);

 private:
  Store(UniqueFd lock, SessionOptions options, Session writer);
  std::expected<void, Error> LoadCatalog();
  bool IsCurrent(const Table& table) const;
  template <typename Body>
  auto InTransaction(Session& session, Body body) -> decltype(body());

  UniqueFd lock_;  // keeps other processes out while it is open
  SessionPool sessions_;
  mutable std::shared_mutex catalog_mutex_;
  std::map<std::string, TablePtr, std::less<>> catalog_;
};

}  // namespace kelvin::tables
