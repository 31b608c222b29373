#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <elf.h>

#include "base/error.h"
#include "engine/image_format.h"
#include "engine/object_linker.h"

namespace kelvin::engine {

// Maps the ELF object of an image into the low 2 GB, near the engine's program, and connects it.
// Its digest was right before, so what is wrong with it now is a fault of the build; but whatever
// it holds, nothing outside of its own segments is touched. Calls in this order: Map, Connect,
// Index, Protect; it is unmapped again unless all of them succeed.
class ImageLoader {
 public:
  // `fd` is the file that begins with `object`; both outlive the loader.
  ImageLoader(std::string_view object, int fd) : object_(object), fd_(fd) {}
  ~ImageLoader();
  ImageLoader(const ImageLoader&) = delete;
  ImageLoader& operator=(const ImageLoader&) = delete;

  std::expected<void, Error> Map();
  // Fails with kNotFound, naming them, on symbols that `resolve` does not know.
  std::expected<void, Error> Connect(const SymbolResolver& resolve);
  // What the image says of itself, when all of it lies where it must.
  std::expected<const ImageIndex*, Error> Index() const;
  // Makes read-only what needs no more writing, and tells the unwinder about the frames.
  std::expected<void, Error> Protect();

  std::uint64_t base() const { return base_; }
  std::uint64_t size() const { return size_; }
  // Static initialisers, in the order in which they run.
  std::span<void (*const)()> initializers() const;

 private:
  const Elf64_Ehdr& Header() const { return *reinterpret_cast<const Elf64_Ehdr*>(object_.data()); }
  std::span<const Elf64_Phdr> Segments() const {
    return {reinterpret_cast<const Elf64_Phdr*>(object_.data() + Header().e_phoff),
            Header().e_phnum};
  }
  std::expected<void, Error> CheckHeaders() const;
  // Whether all these bytes belong to one segment with the flags (PF_R and so on).
  bool Holds(std::uint64_t address, std::uint64_t bytes, std::uint32_t flags) const;
  // A value of the dynamic section; 0 when it has none.
  std::uint64_t Dynamic(std::int64_t tag) const;
  std::expected<void, Error> MapSegment(const Elf64_Phdr& segment);
  std::expected<void, Error> Relocate(std::uint64_t table, std::uint64_t bytes,
                                      const SymbolResolver& resolve);
  std::expected<std::uint64_t, Error> AddressOf(std::uint32_t symbol,
                                                const SymbolResolver& resolve);

  std::string_view object_;
  int fd_;
  std::uint64_t base_ = 0;
  std::uint64_t size_ = 0;
  std::uint64_t symbols_ = 0;
  std::string_view names_;
  std::vector<std::string> missing_;
  bool kept_ = false;
};

}  // namespace kelvin::engine
