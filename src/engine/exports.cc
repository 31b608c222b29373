#include "engine/exports.h"

#include <bit>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/file.h"

namespace kelvin::engine {
namespace {

constexpr char kMagic[8] = {'K', 'E', 'L', 'V', 'I', 'N', 'E', '1'};

// The last bytes of a program with a table.
struct Trailer {
  std::uint64_t table_size;  // of all parts, without the trailer and the padding before it
  std::uint32_t buckets;     // a power of two
  std::uint32_t entries;
  std::uint64_t names_size;
  BuildId build_id;
  std::uint32_t reserved;
  char magic[8];
};
static_assert(sizeof(Trailer) % 8 == 0);

std::uint32_t HashName(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return static_cast<std::uint32_t>(hash ^ hash >> 32);
}

template <typename T>
void AppendArray(std::string& bytes, const std::vector<T>& values) {
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

std::unexpected<Error> NoTable(std::string_view what) {
  return std::unexpected(Error{
      ErrorCode::kCorrupt,
      fmt::format("expected the engine's program to end with its table of names, {}: install the "
                  "engine anew",
                  what)});
}

}  // namespace

std::string BuildIdText(const BuildId& id) {
  std::string text;
  for (const std::uint8_t byte : id) text += fmt::format("{:02x}", byte);
  return text;
}

std::string MakeExportTable(const std::vector<Export>& symbols, const BuildId& id) {
  std::vector<std::uint32_t> buckets(std::bit_ceil(symbols.size() * 2 + 1), 0);
  std::vector<Exports::Entry> entries;
  std::string names;
  for (const Export& symbol : symbols) {
    entries.push_back({.address = symbol.address,
                       .name = static_cast<std::uint32_t>(names.size()),
                       .name_size = static_cast<std::uint32_t>(symbol.name.size()) & 0xffffff,
                       .kind = static_cast<std::uint32_t>(symbol.kind) & 0xff});
    names += symbol.name;
    std::size_t bucket = HashName(symbol.name) & (buckets.size() - 1);
    while (buckets[bucket] != 0) bucket = (bucket + 1) & (buckets.size() - 1);
    buckets[bucket] = static_cast<std::uint32_t>(entries.size());
  }
  names.resize((names.size() + 7) / 8 * 8);
  // The entries first: they are the ones that need the alignment.
  std::string table;
  AppendArray(table, entries);
  AppendArray(table, buckets);
  table.resize((table.size() + 7) / 8 * 8);
  table += names;
  Trailer trailer{.table_size = table.size(),
                  .buckets = static_cast<std::uint32_t>(buckets.size()),
                  .entries = static_cast<std::uint32_t>(entries.size()),
                  .names_size = names.size(),
                  .build_id = id,
                  .reserved = 0,
                  .magic = {}};
  std::memcpy(trailer.magic, kMagic, sizeof kMagic);
  table.append(reinterpret_cast<const char*>(&trailer), sizeof trailer);
  return table;
}

std::expected<Exports, Error> Exports::FromProgram(std::string_view program) {
  Trailer trailer;
  if (program.size() < sizeof trailer) return NoTable("found a file that is too short");
  std::memcpy(&trailer, program.data() + program.size() - sizeof trailer, sizeof trailer);
  if (std::memcmp(trailer.magic, kMagic, sizeof kMagic) != 0) return NoTable("found none");
  const std::uint64_t entry_bytes = std::uint64_t{trailer.entries} * sizeof(Entry);
  const std::uint64_t bucket_bytes = (std::uint64_t{trailer.buckets} * 4 + 7) / 8 * 8;
  if (trailer.table_size > program.size() - sizeof trailer ||
      trailer.names_size > trailer.table_size || !std::has_single_bit(trailer.buckets) ||
      trailer.entries >= trailer.buckets ||
      entry_bytes + bucket_bytes + trailer.names_size != trailer.table_size) {
    return NoTable("found a damaged one");
  }
  const char* const table = program.data() + program.size() - sizeof trailer - trailer.table_size;
  if (reinterpret_cast<std::uintptr_t>(table) % alignof(Entry) != 0) {
    return NoTable("found a misaligned one");
  }
  Exports exports;
  exports.entries_ = {reinterpret_cast<const Entry*>(table), trailer.entries};
  exports.buckets_ = {reinterpret_cast<const std::uint32_t*>(table + entry_bytes), trailer.buckets};
  exports.names_ = {table + entry_bytes + bucket_bytes, trailer.names_size};
  exports.build_id_ = trailer.build_id;
  return exports;
}

std::optional<Exports::Symbol> Exports::Find(std::string_view name) const {
  if (buckets_.empty()) return std::nullopt;
  const std::size_t mask = buckets_.size() - 1;
  std::size_t bucket = HashName(name) & mask;
  // A damaged table may have no free bucket to end at.
  for (std::size_t tried = 0; tried < buckets_.size(); ++tried, bucket = (bucket + 1) & mask) {
    const std::uint32_t index = buckets_[bucket];
    if (index == 0 || index > entries_.size()) return std::nullopt;
    const Entry& entry = entries_[index - 1];
    if (std::uint64_t{entry.name} + entry.name_size > names_.size()) return std::nullopt;
    if (NameAt(entry) == name) return Symbol{entry.address, static_cast<ExportKind>(entry.kind)};
  }
  return std::nullopt;
}

std::string Exports::NameOf(std::uint64_t address) const {
  const Entry* best = nullptr;
  for (const Entry& entry : entries_) {
    if (entry.address > address || entry.kind != static_cast<std::uint32_t>(ExportKind::kFunction))
      continue;
    if (best == nullptr || entry.address > best->address) best = &entry;
  }
  if (best == nullptr || std::uint64_t{best->name} + best->name_size > names_.size()) return {};
  return fmt::format("{}+{:#x}", NameAt(*best), address - best->address);
}

std::expected<MappedFile, Error> MappedFile::Open(const std::filesystem::path& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return std::unexpected(ErrnoError("open " + path.native(), errno));
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) {
    return std::unexpected(ErrnoError("read " + path.native(), errno));
  }
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size == 0) return MappedFile({});
  void* const memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (memory == MAP_FAILED) return std::unexpected(ErrnoError("map " + path.native(), errno));
  return MappedFile({static_cast<const char*>(memory), size});
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

}  // namespace kelvin::engine
