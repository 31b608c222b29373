#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "service/string_map.h"

namespace kelvin::service {

// Where one event stands in its stream's file.
struct LogEntry {
  std::int64_t time_ms = 0;  // since the epoch
  std::uint32_t offset = 0;
  std::uint32_t size = 0;  // as written: lines of functions end with a newline, as on CloudWatch
};

struct LogGroup {
  std::string name;  // "/aws/lambda/hello"
  std::int64_t created_ms = 0;
  int retention_days = 0;  // 0: for ever
  StringMap tags;
};

// One stream as it is on the disk.
struct LogStreamInfo {
  std::string name;  // "2026/11/25/[$LATEST]..."
  std::int64_t created_ms = 0;
  std::optional<std::int64_t> first_ms;  // of its events; nothing while it has none
  std::optional<std::int64_t> last_ms;
  std::uint64_t bytes = 0;
};

// What is in a file of a stream at one moment. A stream has up to two: what was written lately, and
// what came before.
struct LogPart {
  std::uint64_t base = 0;  // bytes that the stream had before this file
  std::vector<LogEntry> entries;
};

// Log groups and their streams in a folder, as CloudWatch names them: GROUP/STREAM.log holds what
// was written, an event a line (or more), GROUP/STREAM.idx when each began, GROUP/group.json what
// is set for the group; '/' in names becomes %2F. A stream's files stay bounded: when one has grown
// large it becomes STREAM.1.log, and the one before that goes. Blocking; thread-safe.
class LogStore {
 public:
  // Makes the folder when missing, and takes away streams that are past their group's retention.
  static std::expected<std::unique_ptr<LogStore>, Error> Open(const std::filesystem::path& folder,
                                                              const Clock& clock);

  // Fails with kAlreadyExists.
  std::expected<void, Error> CreateGroup(const LogGroup& group);
  // Both fail with kNotFound.
  std::expected<void, Error> ChangeGroup(const LogGroup& group);
  std::expected<void, Error> DeleteGroup(std::string_view name);
  std::optional<LogGroup> FindGroup(std::string_view name) const;
  std::vector<LogGroup> Groups() const;  // by name

  // Both fail with kNotFound without the group; CreateStream with kAlreadyExists, DeleteStream
  // with kNotFound.
  std::expected<void, Error> CreateStream(std::string_view group, std::string_view stream);
  std::expected<void, Error> DeleteStream(std::string_view group, std::string_view stream);
  bool HasStream(std::string_view group, std::string_view stream) const;
  std::vector<LogStreamInfo> Streams(std::string_view group) const;  // by name

  // Adds events; makes the group and the stream when missing. Offsets count from where `text`
  // begins.
  std::expected<void, Error> Append(std::string_view group, std::string_view stream,
                                    std::string_view text, std::span<const LogEntry> entries);
  // The stream's files, older first.
  std::vector<LogPart> Read(std::string_view group, std::string_view stream) const;
  // Up to `size` bytes of the file with that base; fewer at its end, or when it is gone.
  std::string ReadText(std::string_view group, std::string_view stream, std::uint64_t base,
                       std::uint64_t offset, std::size_t size) const;

  // Events before this are as good as deleted.
  std::int64_t RetainedFrom(const LogGroup& group) const;

 private:
  LogStore(std::filesystem::path folder, const Clock& clock)
      : folder_(std::move(folder)), clock_(clock) {}
  std::expected<void, Error> Load();
  void DropOutdated(const LogGroup& group);
  std::expected<void, Error> Save(const LogGroup& group) const;
  std::filesystem::path GroupFolder(std::string_view group) const;
  std::filesystem::path StreamPath(std::string_view group, std::string_view stream) const;
  std::expected<void, Error> EnsureStream(std::string_view group, std::string_view stream);

  std::filesystem::path folder_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, LogGroup, std::less<>> groups_;
};

}  // namespace kelvin::service
