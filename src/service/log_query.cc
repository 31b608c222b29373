#include "service/log_query.h"

#include <algorithm>
#include <charconv>
#include <queue>

#include <fmt/format.h>

namespace kelvin::service {
namespace {

constexpr std::size_t kMostExamined = 100'000;
constexpr std::size_t kMostBytes = std::size_t{1} << 20;  // of a page, as CloudWatch
constexpr std::size_t kWindow = 32 * 1024;

// FNV-1a: the same in every run, as event ids are.
std::uint64_t HashOf(std::string_view name) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

// The events of one stream within a range, in the order of their keys.
class Cursor {
 public:
  Cursor(const LogStore& store, const std::string& group, const std::string& stream,
         const LogRange& range)
      : store_(&store), group_(group), stream_(stream) {
    const std::uint64_t hash = HashOf(stream);
    for (const LogPart& part : store.Read(group, stream)) {
      for (const LogEntry& entry : part.entries) {
        if (entry.time_ms < range.from_ms || entry.time_ms >= range.to_ms) continue;
        places_.push_back({{entry.time_ms, hash, part.base + entry.offset}, entry.size, part.base});
      }
    }
    // Nearly always so already: clocks seldom go back.
    if (!std::ranges::is_sorted(places_, {}, &Place::key)) {
      std::ranges::sort(places_, {}, &Place::key);
    }
  }

  void SkipTo(const LogKey& after) {
    next_ = static_cast<std::size_t>(std::ranges::upper_bound(places_, after, {}, &Place::key) -
                                     places_.begin());
  }
  // To the first of as many as a page may hold of what comes before `key`.
  void GoBack(const LogKey& key, std::size_t limit) {
    const auto end = std::ranges::lower_bound(places_, key, {}, &Place::key);
    auto begin = end;
    std::size_t bytes = 0;
    while (begin != places_.begin() && static_cast<std::size_t>(end - begin) < limit &&
           bytes < kMostBytes) {
      bytes += (--begin)->size;
    }
    next_ = static_cast<std::size_t>(begin - places_.begin());
  }
  bool done() const { return next_ == places_.size(); }
  const LogKey& key() const { return places_[next_].key; }

  // The current event's text, until the next call.
  std::string_view Message() {
    const Place& place = places_[next_];
    const std::uint64_t position = place.key.position;
    const bool there = place.base == window_base_ && position >= window_begin_ &&
                       position + place.size <= window_begin_ + window_.size();
    if (!there) {
      window_ = store_->ReadText(group_, stream_, place.base, position - place.base,
                                 std::max<std::size_t>(kWindow, place.size));
      window_base_ = place.base;
      window_begin_ = position;
    }
    return std::string_view(window_).substr(position - window_begin_).substr(0, place.size);
  }
  LogEvent Event() { return {key(), stream_, std::string(Message())}; }
  void Advance() { ++next_; }

 private:
  struct Place {
    LogKey key;
    std::uint32_t size;
    std::uint64_t base;  // of its file
  };
  const LogStore* store_;
  std::string group_;
  std::string stream_;
  std::vector<Place> places_;
  std::size_t next_ = 0;
  std::string window_;  // what was read of a file
  std::uint64_t window_base_ = ~std::uint64_t{0};
  std::uint64_t window_begin_ = 0;
};

}  // namespace

std::string FormatLogKey(const LogKey& key) {
  return fmt::format("{:020}{:020}{:016}", key.time_ms, key.stream, key.position);
}

std::optional<LogKey> ParseLogKey(std::string_view digits) {
  if (digits.size() != 56) return std::nullopt;
  LogKey key;
  const auto read = [&](std::size_t begin, std::size_t size, auto& into) {
    const char* const end = digits.data() + begin + size;
    const auto [stop, error] = std::from_chars(digits.data() + begin, end, into);
    return error == std::errc{} && stop == end;
  };
  if (!read(0, 20, key.time_ms) || !read(20, 20, key.stream) || !read(40, 16, key.position)) {
    return std::nullopt;
  }
  return key;
}

LogPage FilterLogs(const LogStore& store, const std::string& group,
                   const std::vector<std::string>& streams, const LogRange& range,
                   const LogFilter& filter, std::size_t limit, const std::optional<LogKey>& after) {
  std::vector<Cursor> cursors;
  LogRange rest = range;
  if (after) rest.from_ms = std::max(rest.from_ms, after->time_ms);
  for (const std::string& stream : streams) {
    cursors.emplace_back(store, group, stream, rest);
    if (after) cursors.back().SkipTo(*after);
    if (cursors.back().done()) cursors.pop_back();
  }
  const auto later = [](const Cursor* a, const Cursor* b) { return a->key() > b->key(); };
  std::priority_queue<Cursor*, std::vector<Cursor*>, decltype(later)> queue(later);
  for (Cursor& cursor : cursors) queue.push(&cursor);
  LogPage page;
  std::size_t bytes = 0;
  for (std::size_t examined = 0; !queue.empty(); ++examined) {
    Cursor* const first = queue.top();
    queue.pop();
    const std::string_view message = first->Message();
    if (filter.Matches(message)) {
      bytes += message.size();
      page.events.push_back(first->Event());
    }
    const LogKey key = first->key();
    first->Advance();
    if (!first->done()) queue.push(first);
    const bool full =
        page.events.size() >= limit || bytes >= kMostBytes || examined + 1 >= kMostExamined;
    if (!full) continue;
    if (!queue.empty()) page.next = key;
    break;
  }
  return page;
}

std::vector<LogEvent> ReadLog(const LogStore& store, const std::string& group,
                              const std::string& stream, const LogRange& range, std::size_t limit,
                              LogDirection direction, const LogKey& key) {
  Cursor cursor(store, group, stream, range);
  std::vector<LogEvent> events;
  std::size_t bytes = 0;
  if (direction == LogDirection::kBackward) {
    cursor.GoBack(key, limit);
    // Forwards from there, as files are read best.
    for (; !cursor.done() && cursor.key() < key; cursor.Advance()) events.push_back(cursor.Event());
    return events;
  }
  for (cursor.SkipTo(key); !cursor.done() && events.size() < limit && bytes < kMostBytes;
       cursor.Advance()) {
    events.push_back(cursor.Event());
    bytes += events.back().message.size();
  }
  return events;
}

}  // namespace kelvin::service
