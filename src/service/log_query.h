#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/log_filter.h"
#include "service/log_store.h"

namespace kelvin::service {

// Where an event stands among all of its group: by time, then by stream, then by place in it.
struct LogKey {
  std::int64_t time_ms = 0;
  std::uint64_t stream = 0;  // a hash of its name
  std::uint64_t position = 0;
  auto operator<=>(const LogKey&) const = default;
};
// 56 digits, as CloudWatch's event ids have; they sort as the keys do.
std::string FormatLogKey(const LogKey& key);
std::optional<LogKey> ParseLogKey(std::string_view digits);

struct LogEvent {
  LogKey key;
  std::string stream;
  std::string message;
};

struct LogRange {
  std::int64_t from_ms = 0;
  std::int64_t to_ms = std::numeric_limits<std::int64_t>::max();  // no longer in it
};

struct LogPage {
  std::vector<LogEvent> events;
  // Where to go on, when there is more. A page may be empty and yet have more behind it: a call
  // looks at no more than some 100,000 events.
  std::optional<LogKey> next;
};

// The events of some streams, merged by time, that come after `after` and match. Blocking;
// thread-safe, as the store is.
LogPage FilterLogs(const LogStore& store, const std::string& group,
                   const std::vector<std::string>& streams, const LogRange& range,
                   const LogFilter& filter, std::size_t limit, const std::optional<LogKey>& after);

enum class LogDirection { kForward, kBackward };
// Events of one stream, oldest first: the first after the key, or the last before it.
std::vector<LogEvent> ReadLog(const LogStore& store, const std::string& group,
                              const std::string& stream, const LogRange& range, std::size_t limit,
                              LogDirection direction, const LogKey& key);

}  // namespace kelvin::service
