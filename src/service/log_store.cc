#include "service/log_store.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include <boost/json.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aws/sha256.h"
#include "service/epoch.h"

namespace kelvin::service {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::uint64_t kLargestFile = std::uint64_t{16} << 20;
constexpr std::size_t kLongestFileName = 200;
constexpr std::string_view kGroupFile = "group.json";
constexpr std::string_view kMagic = "kelvin-log-1";
constexpr std::size_t kMostHeaderBytes = 2048;
constexpr std::int64_t kDay = 24LL * 3600 * 1000;

// A name as one component of a path, different for different names.
std::string FileName(std::string_view name) {
  std::string file;
  for (const char c : name) {
    const bool plain = static_cast<unsigned char>(c) >= ' ' && c != '/' && c != '%';
    if (plain && !(c == '.' && file.empty())) {
      file.push_back(c);
    } else {
      file += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  if (file.size() <= kLongestFileName) return file;
  return file.substr(0, kLongestFileName - 65) + "~" + aws::Sha256Hex(name);
}

fs::path WithEnd(fs::path path, std::string_view end) {
  path += end;
  return path;
}

// What an index begins with.
struct Header {
  std::int64_t created_ms = 0;
  std::uint64_t base = 0;
  std::string name;
  std::size_t bytes = 0;  // of the header itself
};

std::string HeaderLine(const Header& header) {
  return fmt::format("{} {} {} {}\n", kMagic, header.created_ms, header.base, header.name);
}

template <typename Number>
bool TakeNumber(std::string_view& text, Number& into) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  if (error != std::errc{} || end == text.data() + text.size() || *end != ' ') return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  return true;
}

std::optional<Header> ParseHeader(std::string_view text) {
  const std::size_t end = text.find('\n');
  if (end == text.npos || !text.starts_with(kMagic)) return std::nullopt;
  Header header{.created_ms = 0, .base = 0, .name = {}, .bytes = end + 1};
  std::string_view line = text.substr(0, end);
  line.remove_prefix(std::min(kMagic.size() + 1, line.size()));
  if (!TakeNumber(line, header.created_ms) || !TakeNumber(line, header.base)) return std::nullopt;
  header.name = line;
  return header;
}

UniqueFd OpenFile(const fs::path& path, int flags) {
  return UniqueFd(::open(path.c_str(), flags | O_CLOEXEC, 0644));
}

std::uint64_t SizeOf(int fd) {
  struct stat info{};
  return ::fstat(fd, &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

std::string ReadAt(int fd, std::uint64_t offset, std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t got = 0;
  while (got < size) {
    const ssize_t count =
        ::pread(fd, bytes.data() + got, size - got, static_cast<off_t>(offset + got));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    got += static_cast<std::size_t>(count);
  }
  bytes.resize(got);
  return bytes;
}

// Whole entries only: one that is being written is not there yet.
std::vector<LogEntry> ReadEntries(int fd, std::uint64_t offset, std::size_t count) {
  const std::string bytes = ReadAt(fd, offset, count * sizeof(LogEntry));
  std::vector<LogEntry> entries(bytes.size() / sizeof(LogEntry));
  if (!entries.empty())
    std::memcpy(entries.data(), bytes.data(), entries.size() * sizeof(LogEntry));
  return entries;
}

struct Index {
  UniqueFd fd;
  Header header;
  std::size_t count = 0;
};

std::optional<Index> OpenIndex(const fs::path& path) {
  Index index{.fd = OpenFile(path, O_RDONLY), .header = {}, .count = 0};
  if (!index.fd.valid()) return std::nullopt;
  auto header = ParseHeader(ReadAt(index.fd.get(), 0, kMostHeaderBytes));
  if (!header) return std::nullopt;
  index.header = std::move(*header);
  index.count = (SizeOf(index.fd.get()) - index.header.bytes) / sizeof(LogEntry);
  return index;
}

std::optional<LogStreamInfo> InfoOf(const fs::path& path) {
  const auto index = OpenIndex(WithEnd(path, ".idx"));
  if (!index) return std::nullopt;
  LogStreamInfo info{.name = index->header.name,
                     .created_ms = index->header.created_ms,
                     .first_ms = {},
                     .last_ms = {},
                     .bytes = 0};
  const auto older = OpenIndex(WithEnd(path, ".1.idx"));
  for (const auto* part : {older ? &*older : nullptr, &*index}) {
    if (part == nullptr || part->count == 0) continue;
    const std::uint64_t begin = part->header.bytes;
    const auto first = ReadEntries(part->fd.get(), begin, 1);
    const auto last = ReadEntries(part->fd.get(), begin + (part->count - 1) * sizeof(LogEntry), 1);
    if (first.empty() || last.empty()) continue;
    if (!info.first_ms) info.first_ms = first.front().time_ms;
    info.last_ms = last.front().time_ms;
    info.bytes += last.front().offset + last.front().size;
  }
  return info;
}

void RemoveStreamFiles(const fs::path& path) {
  std::error_code ignored;
  for (const std::string_view end : {".idx", ".log", ".1.idx", ".1.log"}) {
    fs::remove(WithEnd(path, end), ignored);
  }
}

Error NoSuchGroup() {
  return {ErrorCode::kNotFound, "The specified log group does not exist."};
}
Error NoSuchStream() {
  return {ErrorCode::kNotFound, "The specified log stream does not exist."};
}

std::expected<LogGroup, Error> ReadGroup(const fs::path& file) {
  const auto text = ReadFile(file, std::size_t{1} << 20);
  if (!text) return std::unexpected(text.error());
  const auto damaged = [&] {
    return std::unexpected(Error{
        ErrorCode::kCorrupt,
        fmt::format("expected the settings of a log group in {}, found something else; remove its "
                    "folder to go on without that log",
                    file.native())});
  };
  boost::system::error_code error;
  const json::value document = json::parse(*text, error);
  const json::object* object = error ? nullptr : document.if_object();
  const json::value* name = object == nullptr ? nullptr : object->if_contains("name");
  const json::value* created = object == nullptr ? nullptr : object->if_contains("created");
  if (name == nullptr || !name->is_string() || created == nullptr || !created->is_int64()) {
    return damaged();
  }
  LogGroup group{.name = std::string(name->get_string()),
                 .created_ms = created->get_int64(),
                 .retention_days = 0,
                 .tags = {}};
  if (const json::value* days = object->if_contains("retentionInDays")) {
    if (!days->is_int64()) return damaged();
    group.retention_days = static_cast<int>(days->get_int64());
  }
  if (const json::value* tags = object->if_contains("tags")) {
    if (!tags->is_object()) return damaged();
    for (const auto& [key, value] : tags->get_object()) {
      if (!value.is_string()) return damaged();
      group.tags.emplace(std::string(key), std::string(value.get_string()));
    }
  }
  return group;
}

}  // namespace

std::expected<std::unique_ptr<LogStore>, Error> LogStore::Open(const fs::path& folder,
                                                               const Clock& clock) {
  std::unique_ptr<LogStore> store(new LogStore(folder, clock));
  if (auto loaded = store->Load(); !loaded) return std::unexpected(std::move(loaded.error()));
  return store;
}

std::expected<void, Error> LogStore::Load() {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) {
    return std::unexpected(ErrnoError(fmt::format("create {}", folder_.native()), error.value()));
  }
  for (const auto& entry : fs::directory_iterator(folder_, error)) {
    if (entry.path().filename().native().starts_with(".")) {
      std::error_code ignored;
      fs::remove_all(entry.path(), ignored);  // a deletion that a crash cut short
      continue;
    }
    const fs::path file = entry.path() / kGroupFile;
    if (!fs::exists(file, error)) continue;
    auto group = ReadGroup(file);
    if (!group) return std::unexpected(std::move(group.error()));
    groups_.insert_or_assign(group->name, *group);
  }
  for (const auto& [name, group] : groups_) DropOutdated(group);
  return {};
}

void LogStore::DropOutdated(const LogGroup& group) {
  if (group.retention_days == 0) return;
  const std::int64_t from = RetainedFrom(group);
  for (const LogStreamInfo& stream : Streams(group.name)) {
    if (stream.last_ms.value_or(stream.created_ms) >= from) continue;
    RemoveStreamFiles(StreamPath(group.name, stream.name));
  }
}

std::int64_t LogStore::RetainedFrom(const LogGroup& group) const {
  return group.retention_days == 0
             ? 0
             : EpochMilliseconds(clock_.WallNow()) - group.retention_days * kDay;
}

fs::path LogStore::GroupFolder(std::string_view group) const {
  return folder_ / FileName(group);
}

fs::path LogStore::StreamPath(std::string_view group, std::string_view stream) const {
  return GroupFolder(group) / FileName(stream);
}

std::expected<void, Error> LogStore::Save(const LogGroup& group) const {
  std::error_code error;
  fs::create_directories(GroupFolder(group.name), error);
  json::object document{{"name", group.name}, {"created", group.created_ms}};
  if (group.retention_days != 0) document["retentionInDays"] = group.retention_days;
  if (!group.tags.empty()) {
    json::object tags;
    for (const auto& [key, value] : group.tags) tags[key] = value;
    document["tags"] = std::move(tags);
  }
  return WriteFileAtomically(GroupFolder(group.name) / kGroupFile, json::serialize(document));
}

std::expected<void, Error> LogStore::CreateGroup(const LogGroup& group) {
  const std::lock_guard lock(mutex_);
  if (groups_.contains(group.name)) {
    return std::unexpected(
        Error{ErrorCode::kAlreadyExists, "The specified log group already exists"});
  }
  if (auto saved = Save(group); !saved) return saved;
  groups_.emplace(group.name, group);
  return {};
}

std::expected<void, Error> LogStore::ChangeGroup(const LogGroup& group) {
  const std::lock_guard lock(mutex_);
  const auto found = groups_.find(group.name);
  if (found == groups_.end()) return std::unexpected(NoSuchGroup());
  if (auto saved = Save(group); !saved) return saved;
  found->second = group;
  return {};
}

std::expected<void, Error> LogStore::DeleteGroup(std::string_view name) {
  fs::path doomed;
  {
    const std::lock_guard lock(mutex_);
    const auto found = groups_.find(name);
    if (found == groups_.end()) return std::unexpected(NoSuchGroup());
    // Renamed first: a crash leaves the whole group or nothing of it.
    doomed = folder_ / ("." + FileName(name));
    std::error_code error;
    fs::remove_all(doomed, error);
    fs::rename(GroupFolder(name), doomed, error);
    if (error && error != std::errc::no_such_file_or_directory) {
      return std::unexpected(ErrnoError(fmt::format("delete log group {}", name), error.value()));
    }
    groups_.erase(found);
  }
  std::error_code ignored;
  fs::remove_all(doomed, ignored);
  return {};
}

std::optional<LogGroup> LogStore::FindGroup(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = groups_.find(name);
  if (found == groups_.end()) return std::nullopt;
  return found->second;
}

std::vector<LogGroup> LogStore::Groups() const {
  const std::lock_guard lock(mutex_);
  std::vector<LogGroup> groups;
  for (const auto& [name, group] : groups_) groups.push_back(group);
  return groups;
}

std::expected<void, Error> LogStore::EnsureStream(std::string_view group, std::string_view stream) {
  if (!groups_.contains(group)) {
    const LogGroup made{.name = std::string(group),
                        .created_ms = EpochMilliseconds(clock_.WallNow()),
                        .retention_days = 0,
                        .tags = {}};
    if (auto saved = Save(made); !saved) return saved;
    groups_.emplace(made.name, made);
  }
  const fs::path index = WithEnd(StreamPath(group, stream), ".idx");
  UniqueFd fd = OpenFile(index, O_WRONLY | O_CREAT | O_EXCL);
  if (!fd.valid() && errno == EEXIST) return {};
  if (!fd.valid())
    return std::unexpected(ErrnoError(fmt::format("create {}", index.native()), errno));
  return WriteAll(fd.get(), HeaderLine({.created_ms = EpochMilliseconds(clock_.WallNow()),
                                        .base = 0,
                                        .name = std::string(stream),
                                        .bytes = 0}));
}

std::expected<void, Error> LogStore::CreateStream(std::string_view group, std::string_view stream) {
  const std::lock_guard lock(mutex_);
  if (!groups_.contains(group)) return std::unexpected(NoSuchGroup());
  std::error_code ignored;
  if (fs::exists(WithEnd(StreamPath(group, stream), ".idx"), ignored)) {
    return std::unexpected(
        Error{ErrorCode::kAlreadyExists, "The specified log stream already exists"});
  }
  return EnsureStream(group, stream);
}

std::expected<void, Error> LogStore::DeleteStream(std::string_view group, std::string_view stream) {
  const std::lock_guard lock(mutex_);
  if (!groups_.contains(group)) return std::unexpected(NoSuchGroup());
  const fs::path path = StreamPath(group, stream);
  std::error_code ignored;
  if (!fs::exists(WithEnd(path, ".idx"), ignored)) return std::unexpected(NoSuchStream());
  RemoveStreamFiles(path);
  return {};
}

bool LogStore::HasStream(std::string_view group, std::string_view stream) const {
  std::error_code ignored;
  return fs::exists(WithEnd(StreamPath(group, stream), ".idx"), ignored);
}

std::vector<LogStreamInfo> LogStore::Streams(std::string_view group) const {
  std::vector<LogStreamInfo> streams;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(GroupFolder(group), error)) {
    const std::string name = entry.path().filename().native();
    if (!name.ends_with(".idx") || name.ends_with(".1.idx")) continue;
    auto info = InfoOf(entry.path().parent_path() / name.substr(0, name.size() - 4));
    if (info) streams.push_back(std::move(*info));
  }
  std::ranges::sort(streams, {}, &LogStreamInfo::name);
  return streams;
}

std::expected<void, Error> LogStore::Append(std::string_view group, std::string_view stream,
                                            std::string_view text,
                                            std::span<const LogEntry> entries) {
  const std::lock_guard lock(mutex_);
  const fs::path path = StreamPath(group, stream);
  UniqueFd index = OpenFile(WithEnd(path, ".idx"), O_WRONLY | O_APPEND);
  if (!index.valid()) {
    if (auto ensured = EnsureStream(group, stream); !ensured) return ensured;
    index = OpenFile(WithEnd(path, ".idx"), O_WRONLY | O_APPEND);
  }
  const UniqueFd file = OpenFile(WithEnd(path, ".log"), O_WRONLY | O_CREAT | O_APPEND);
  if (!index.valid() || !file.valid()) {
    return std::unexpected(ErrnoError(fmt::format("open {}.log", path.native()), errno));
  }
  const std::uint64_t begin = SizeOf(file.get());
  const std::uint64_t index_begin = SizeOf(index.get());
  std::vector<LogEntry> placed(entries.begin(), entries.end());
  for (LogEntry& entry : placed) entry.offset += static_cast<std::uint32_t>(begin);
  const std::string_view bytes(reinterpret_cast<const char*>(placed.data()),
                               placed.size() * sizeof(LogEntry));
  auto written = WriteAll(file.get(), text);
  if (written) written = WriteAll(index.get(), bytes);
  if (!written) {
    // Half an event would put everything behind it in the wrong place.
    (void)::ftruncate(file.get(), static_cast<off_t>(begin));
    (void)::ftruncate(index.get(), static_cast<off_t>(index_begin));
    return written;
  }
  if (begin + text.size() <= kLargestFile) return {};
  const auto full = OpenIndex(WithEnd(path, ".idx"));
  std::error_code ignored;
  fs::rename(WithEnd(path, ".log"), WithEnd(path, ".1.log"), ignored);
  fs::rename(WithEnd(path, ".idx"), WithEnd(path, ".1.idx"), ignored);
  const UniqueFd next = OpenFile(WithEnd(path, ".idx"), O_WRONLY | O_CREAT | O_TRUNC);
  return WriteAll(next.get(),
                  HeaderLine({.created_ms = full ? full->header.created_ms
                                                 : EpochMilliseconds(clock_.WallNow()),
                              .base = (full ? full->header.base : 0) + begin + text.size(),
                              .name = std::string(stream),
                              .bytes = 0}));
}

std::vector<LogPart> LogStore::Read(std::string_view group, std::string_view stream) const {
  const fs::path path = StreamPath(group, stream);
  std::vector<Index> indexes;
  {
    const std::lock_guard lock(mutex_);  // so that the files of a stream belong together
    for (const std::string_view end : {".1.idx", ".idx"}) {
      if (auto index = OpenIndex(WithEnd(path, end))) indexes.push_back(std::move(*index));
    }
  }
  std::vector<LogPart> parts;
  for (const Index& index : indexes) {
    parts.push_back({.base = index.header.base,
                     .entries = ReadEntries(index.fd.get(), index.header.bytes, index.count)});
  }
  return parts;
}

std::string LogStore::ReadText(std::string_view group, std::string_view stream, std::uint64_t base,
                               std::uint64_t offset, std::size_t size) const {
  const fs::path path = StreamPath(group, stream);
  UniqueFd text;
  {
    const std::lock_guard lock(mutex_);  // a file may get its other name at any time
    for (const std::string_view end : {"", ".1"}) {
      const auto index = OpenIndex(WithEnd(path, fmt::format("{}.idx", end)));
      if (!index || index->header.base != base) continue;
      text = OpenFile(WithEnd(path, fmt::format("{}.log", end)), O_RDONLY);
      break;
    }
  }
  return text.valid() ? ReadAt(text.get(), offset, size) : std::string();
}

}  // namespace kelvin::service
