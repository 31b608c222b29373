#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace kelvin::engine {

// What a symbol of the engine is.
enum class ExportKind : std::uint32_t {
  kFunction,
  kObject,
  kIndirect,     // a function that picks its implementation for the CPU when it is asked (IFUNC)
  kThreadLocal,  // cannot be used from bitcode
};

struct Export {
  std::string name;
  std::uint64_t address = 0;  // of an indirect function: of the one that picks
  ExportKind kind = ExportKind::kFunction;
  bool is_wrap = false;  // the one of two of this name that counts
};

// Names the very build of an engine: the GNU build id of its program.
using BuildId = std::array<std::uint8_t, 20>;
std::string BuildIdText(const BuildId& id);

// The names that the engine offers to functions, and where they are. A build step appends the
// table to the engine's program (AppendExports), which is linked at a fixed address, so the table
// is a hash map that is used where the page cache holds it. A view: the bytes outlive it.
// Thread-safe.
class Exports {
 public:
  // No names.
  Exports() = default;
  // `program`: the whole file. Fails with kCorrupt when there is no whole table at its end.
  static std::expected<Exports, Error> FromProgram(std::string_view program);

  struct Symbol {
    std::uint64_t address = 0;
    ExportKind kind = ExportKind::kFunction;
  };
  std::optional<Symbol> Find(std::string_view name) const;

  // The function that holds the address, as "name+0x1f"; empty when it lies before all of them.
  // Reads the whole table: for crash reports.
  std::string NameOf(std::uint64_t address) const;

  const BuildId& build_id() const { return build_id_; }
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::uint64_t address;
    std::uint32_t name;
    std::uint32_t name_size : 24;
    std::uint32_t kind : 8;
  };
  friend std::string MakeExportTable(const std::vector<Export>& symbols, const BuildId& id);

  std::string_view NameAt(const Entry& entry) const {
    return names_.substr(entry.name, entry.name_size);
  }

  std::span<const std::uint32_t> buckets_;  // index + 1 of the entry; 0 is free
  std::span<const Entry> entries_;
  std::string_view names_;
  BuildId build_id_{};
};

// The table's bytes, to follow a program.
std::string MakeExportTable(const std::vector<Export>& symbols, const BuildId& id);

// A file mapped to be read, for as long as the object lives.
class MappedFile {
 public:
  static std::expected<MappedFile, Error> Open(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  MappedFile& operator=(MappedFile&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~MappedFile();
  std::string_view bytes() const { return bytes_; }

 private:
  explicit MappedFile(std::string_view bytes) : bytes_(bytes) {}
  std::string_view bytes_;
};

}  // namespace kelvin::engine
