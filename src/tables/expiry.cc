#include "tables/expiry.h"

#include <utility>
#include <vector>

#include "tables/index_rows.h"
#include "tables/item_codec.h"

namespace kelvin::tables {
namespace {

constexpr std::size_t kBatch = 100;
constexpr std::chrono::seconds kPause{1};

std::int64_t Seconds(Clock::WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

// Where the next items are whose time has come, from `first` on.
std::expected<std::vector<std::pair<Key, Key>>, Error> NextExpired(Store& store,
                                                                   const TimeToLive& time_to_live,
                                                                   const Key& first,
                                                                   std::int64_t now_seconds) {
  std::vector<std::pair<Key, Key>> places;
  auto reader = store.Read();
  if (!reader) return std::unexpected(std::move(reader.error()));
  const ScanRange range{first.partition, first.sort, ExpiryPartition(now_seconds + 1)};
  const auto read = reader->Scan(
      time_to_live.container, range,
      [&](std::string_view partition, std::string_view sort, std::string_view) {
        if (auto item = ItemPlaceOf(sort)) {
          places.emplace_back(Key{std::string(partition), std::string(sort)}, std::move(*item));
        }
        return places.size() < kBatch ? Visit::kContinue : Visit::kStop;
      });
  if (!read) return std::unexpected(read.error());
  return places;
}

// An item that was changed since it was found is looked at again.
std::expected<std::size_t, Error> Remove(Store& store, const Table& table,
                                         const std::vector<std::pair<Key, Key>>& places,
                                         std::int64_t now_seconds) {
  std::size_t removed = 0;
  const auto written = store.Write([&](Transaction& transaction) -> Outcome<void> {
    removed = 0;
    for (const auto& [expiry, place] : places) {
      const auto before = transaction.Get(table, place);
      if (!before) return std::unexpected(before.error());
      const auto item = *before ? DecodeItem(**before) : std::optional<Item>{};
      if (!item || !IsExpired(*table.definition.time_to_live, *item, now_seconds)) continue;
      const auto done = transaction.Replace(table, place, *before, nullptr);
      if (!done) return std::unexpected(done.error());
      ++removed;
    }
    return {};
  });
  if (written || written.error().kind == FailureKind::kResourceNotFound) return removed;
  return std::unexpected(Error{ErrorCode::kIo, written.error().message});
}

std::expected<std::size_t, Error> RemoveExpiredFrom(Store& store, const Table& table,
                                                    std::int64_t now_seconds) {
  std::size_t removed = 0;
  Key from;
  while (true) {
    const auto places = NextExpired(store, *table.definition.time_to_live, from, now_seconds);
    if (!places) return std::unexpected(places.error());
    if (places->empty()) return removed;
    const auto batch = Remove(store, table, *places, now_seconds);
    if (!batch) return batch;
    removed += *batch;
    from = {places->back().first.partition, After(places->back().first.sort)};
  }
}

}  // namespace

std::expected<std::size_t, Error> RemoveExpired(Store& store, Clock::WallTime now) {
  std::size_t removed = 0;
  for (const TablePtr& table : store.AllTables()) {
    if (!table->definition.time_to_live) continue;
    const auto from_table = RemoveExpiredFrom(store, *table, Seconds(now));
    if (!from_table) return from_table;
    removed += *from_table;
  }
  const auto now_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  if (auto forgotten = store.ForgetTokens(now_ms); !forgotten) {
    return std::unexpected(std::move(forgotten.error()));
  }
  return removed;
}

ExpiryThread::ExpiryThread(Store& store, const Clock& clock, Log& log)
    : store_(store), clock_(clock), log_(log), thread_([this] { Run(); }) {}

ExpiryThread::~ExpiryThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stopped_.notify_all();
  thread_.join();
}

void ExpiryThread::Run() {
  std::unique_lock lock(mutex_);
  while (!stopped_.wait_for(lock, kPause, [this] { return stopping_; })) {
    lock.unlock();
    if (const auto removed = RemoveExpired(store_, clock_.WallNow()); !removed) {
      log_.Write(LogLevel::kError, "tables", "items that expired are still there: {}",
                 removed.error().message);
    }
    lock.lock();
  }
}

}  // namespace kelvin::tables
