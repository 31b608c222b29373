#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
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

struct Totals {
  std::int64_t items = 0;
  std::int64_t bytes = 0;  // as SizeOf counts
};
using TotalsByContainer = std::map<std::int64_t, Totals>;

// What a write did to a secondary index.
struct IndexChange {
  std::string index;
  IndexKind kind = IndexKind::kGlobal;
  std::size_t removed_bytes = 0;  // of the row that left its place, if one did
  std::size_t written_bytes = 0;  // of the row that came or changed, if one did
};

struct WriteEffect {
  std::size_t bytes_before = 0;  // 0: there was no item
  std::size_t bytes_after = 0;
  std::vector<IndexChange> indexes;  // only those that changed
};

// The current table of that container and name; null where it is gone.
using CurrentTable = std::function<TablePtr(const Table& table)>;

// Writes that belong together, gathered in memory: nothing is written until all is decided, so a
// refusal half-way leaves no trace. Sees what it wrote itself. Valid within Store::Write only.
class Transaction {
 public:
  Transaction(Session& session, const CurrentTable& current)
      : session_(session), current_(current) {}

  // The item's stored form. Fails as NotFound() does where the table is gone.
  Outcome<std::optional<std::string>> Get(const Table& table, const Key& key);
  // Puts `after` in the place of `before`, as Get returned it; null deletes. Indexes follow.
  Outcome<WriteEffect> Replace(const Table& table, const Key& key,
                               const std::optional<std::string>& before, const Item* after);

  // The request that a token was kept with, where it has not expired.
  Outcome<std::optional<std::string>> FindToken(std::string_view token, std::int64_t now_ms);
  void KeepToken(std::string token, std::string request, std::int64_t expires_ms);

  // Writes what was gathered, and adds it up in `totals`.
  std::expected<void, Error> Apply(TotalsByContainer& totals);

 private:
  struct Row {
    std::int64_t container;
    Key place;
    std::optional<std::string> item;  // none: delete
  };
  struct Token {
    std::string token;
    std::string request;
    std::int64_t expires_ms;
  };
  void Count(std::int64_t container, std::int64_t items, std::int64_t bytes);
  void ReplaceIndexRows(const Table& table, const Key& key, const std::optional<Item>& before,
                        const Item* after, WriteEffect& effect);
  void ReplaceExpiry(const TimeToLive& time_to_live, const Key& key,
                     const std::optional<Item>& before, const Item* after);
  std::expected<void, Error> Write(const Row& row);

  Session& session_;
  const CurrentTable& current_;
  std::vector<Row> rows_;
  TotalsByContainer totals_;
  std::optional<Token> token_;
};

}  // namespace kelvin::tables
