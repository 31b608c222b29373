#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/image_format.h"
#include "engine/object_linker.h"

namespace kelvin::engine {

// A loaded function.image: code and variables of a bitcode module, ready to run.
class Image {
 public:
  // Maps the file in the low 2 GB, near the engine's program, and connects it. Fails, saying what
  // to rebuild, when it was made for another engine, another function.bc or a newer CPU, or is
  // damaged; nothing of it has run then.
  static std::expected<Image, Error> Load(const std::filesystem::path& path, const BuildId& engine,
                                          std::string_view bitcode, const SymbolResolver& resolve);

  // By the numbers of the bitcode's functions. A slot is what the function's stub jumps to.
  std::span<std::uint64_t> slots() const { return slots_; }
  std::span<std::int32_t> counters() const { return counters_; }
  std::uint64_t stubs() const { return stubs_; }
  // Where to call main; 0 when there is none.
  std::uint64_t main() const { return main_; }
  bool HasCode(std::uint32_t function) const { return bodies_[function] != 0; }
  std::vector<std::uint64_t> VariableAddresses() const;

  // Static initialisers, in the order in which they run.
  std::span<void (*const)()> initializers() const { return initializers_; }

  bool Holds(std::uint64_t address) const { return address >= base_ && address - base_ < size_; }
  // The function that holds the address, as "name+0x1f". Reads the file: for crash reports.
  std::string NameOf(std::uint64_t address) const;

 private:
  Image() = default;

  std::filesystem::path path_;
  std::uint64_t base_ = 0;
  std::uint64_t size_ = 0;
  std::uint64_t index_ = 0;
  std::uint64_t stubs_ = 0;
  std::uint64_t main_ = 0;
  std::span<std::uint64_t> slots_;
  std::span<std::int32_t> counters_;
  std::span<const std::int32_t> bodies_;
  std::span<const std::int32_t> addresses_;
  std::span<void (*const)()> initializers_;
};

}  // namespace kelvin::engine
