#include "engine/image.h"

#include <cerrno>
#include <cstring>

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/mman.h>

#include "base/file.h"
#include "engine/elf_symbols.h"

extern "C" void __register_frame(void* frames);

namespace kelvin::engine {
namespace {

constexpr std::uint64_t kPage = 4096;

std::unexpected<Error> Unfit(ErrorCode code, std::string message) {
  return std::unexpected(Error{code, std::move(message)});
}

// Maps and connects an object whose digest was right: what is wrong with it now is a fault of the
// build, so the checks are for the kinds of things that the linker may have done.
class Loader {
 public:
  Loader(std::string_view object, int fd) : object_(object), fd_(fd) {}

  std::expected<void, Error> Map();
  std::expected<void, Error> Connect(const SymbolResolver& resolve);
  std::expected<void, Error> Protect();

  std::uint64_t base() const { return base_; }
  std::uint64_t size() const { return size_; }
  std::uint64_t entry() const { return base_ + Header().e_entry; }
  std::span<void (*const)()> initializers() const {
    return {reinterpret_cast<void (*const*)()>(base_ + Dynamic(DT_INIT_ARRAY)),
            Dynamic(DT_INIT_ARRAYSZ) / sizeof(void*)};
  }

 private:
  const Elf64_Ehdr& Header() const { return *reinterpret_cast<const Elf64_Ehdr*>(object_.data()); }
  std::span<const Elf64_Phdr> Segments() const {
    return {reinterpret_cast<const Elf64_Phdr*>(object_.data() + Header().e_phoff),
            Header().e_phnum};
  }
  // A value of the dynamic section; 0 when it has none.
  std::uint64_t Dynamic(std::int64_t tag) const;
  std::expected<void, Error> MapSegment(const Elf64_Phdr& segment);
  std::expected<void, Error> Relocate(std::uint64_t table, std::uint64_t bytes,
                                      const SymbolResolver& resolve);
  std::uint64_t AddressOf(std::uint32_t symbol, const SymbolResolver& resolve);

  std::string_view object_;
  int fd_;
  std::uint64_t base_ = 0;
  std::uint64_t size_ = 0;
  std::vector<std::string> missing_;
};

std::expected<void, Error> Loader::Map() {
  if (object_.size() < sizeof(Elf64_Ehdr) || Header().e_type != ET_DYN ||
      Header().e_machine != EM_X86_64 ||
      Header().e_phoff + Header().e_phnum * sizeof(Elf64_Phdr) > object_.size()) {
    return Unfit(ErrorCode::kCorrupt, "it is no shared object for x86-64");
  }
  for (const Elf64_Phdr& segment : Segments()) {
    if (segment.p_type == PT_LOAD) size_ = std::max(size_, segment.p_vaddr + segment.p_memsz);
    if (segment.p_type == PT_TLS) {
      return Unfit(ErrorCode::kInvalidArgument, "it has thread-local storage of its own");
    }
  }
  size_ = (size_ + kPage - 1) / kPage * kPage;
  void* const room =
      ::mmap(nullptr, size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  if (room == MAP_FAILED) return std::unexpected(ErrnoError("reserve memory for it", errno));
  base_ = reinterpret_cast<std::uint64_t>(room);
  for (const Elf64_Phdr& segment : Segments()) {
    if (segment.p_type != PT_LOAD || segment.p_memsz == 0) continue;
    if (auto mapped = MapSegment(segment); !mapped) return mapped;
  }
  return {};
}

std::expected<void, Error> Loader::MapSegment(const Elf64_Phdr& segment) {
  const int protection = ((segment.p_flags & PF_R) != 0 ? PROT_READ : 0) |
                         ((segment.p_flags & PF_W) != 0 ? PROT_WRITE : 0) |
                         ((segment.p_flags & PF_X) != 0 ? PROT_EXEC : 0);
  const std::uint64_t skew = segment.p_vaddr % kPage;
  const std::uint64_t start = base_ + segment.p_vaddr - skew;
  const std::uint64_t file_bytes = segment.p_filesz + skew;
  const std::uint64_t mapped = (file_bytes + kPage - 1) / kPage * kPage;
  if (segment.p_filesz > 0 &&
      ::mmap(reinterpret_cast<void*>(start), mapped, protection, MAP_PRIVATE | MAP_FIXED, fd_,
             static_cast<off_t>(segment.p_offset - skew)) == MAP_FAILED) {
    return std::unexpected(ErrnoError("map it", errno));
  }
  const std::uint64_t end = base_ + segment.p_vaddr + segment.p_memsz;
  const std::uint64_t zero = segment.p_filesz > 0 ? start + mapped : start;
  if (segment.p_filesz > 0 && (protection & PROT_WRITE) != 0 && file_bytes < mapped) {
    std::memset(reinterpret_cast<void*>(start + file_bytes), 0, mapped - file_bytes);
  }
  if (end > zero && ::mmap(reinterpret_cast<void*>(zero), end - zero, protection,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
    return std::unexpected(ErrnoError("map it", errno));
  }
  return {};
}

std::uint64_t Loader::Dynamic(std::int64_t tag) const {
  for (const Elf64_Phdr& segment : Segments()) {
    if (segment.p_type != PT_DYNAMIC) continue;
    const auto* entry = reinterpret_cast<const Elf64_Dyn*>(base_ + segment.p_vaddr);
    for (; entry->d_tag != DT_NULL; ++entry) {
      if (entry->d_tag == tag) return entry->d_un.d_val;
    }
  }
  return 0;
}

std::uint64_t Loader::AddressOf(std::uint32_t symbol, const SymbolResolver& resolve) {
  const auto& entry = reinterpret_cast<const Elf64_Sym*>(base_ + Dynamic(DT_SYMTAB))[symbol];
  if (entry.st_shndx != SHN_UNDEF) return base_ + entry.st_value;
  const char* const name =
      reinterpret_cast<const char*>(base_ + Dynamic(DT_STRTAB)) + entry.st_name;
  const auto address = resolve(name);
  if (!address && ELF64_ST_BIND(entry.st_info) != STB_WEAK) missing_.emplace_back(name);
  return address.value_or(0);
}

std::expected<void, Error> Loader::Relocate(std::uint64_t table, std::uint64_t bytes,
                                            const SymbolResolver& resolve) {
  if (bytes == 0) return {};
  for (const Elf64_Rela& entry :
       std::span(reinterpret_cast<const Elf64_Rela*>(base_ + table), bytes / sizeof(Elf64_Rela))) {
    auto& place = *reinterpret_cast<std::uint64_t*>(base_ + entry.r_offset);
    const auto addend = static_cast<std::uint64_t>(entry.r_addend);
    switch (ELF64_R_TYPE(entry.r_info)) {
      case R_X86_64_RELATIVE:
        place = base_ + addend;
        break;
      case R_X86_64_GLOB_DAT:
      case R_X86_64_JUMP_SLOT:
      case R_X86_64_64:
        place = AddressOf(ELF64_R_SYM(entry.r_info), resolve) + addend;
        break;
      default:
        return Unfit(ErrorCode::kInvalidArgument,
                     fmt::format("it has relocations of kind {}", ELF64_R_TYPE(entry.r_info)));
    }
  }
  return {};
}

std::expected<void, Error> Loader::Connect(const SymbolResolver& resolve) {
  if (auto done = Relocate(Dynamic(DT_RELA), Dynamic(DT_RELASZ), resolve); !done) return done;
  if (auto done = Relocate(Dynamic(DT_JMPREL), Dynamic(DT_PLTRELSZ), resolve); !done) return done;
  if (missing_.empty()) return {};
  return Unfit(ErrorCode::kNotFound,
               fmt::format("the engine has no {}", fmt::join(missing_, ", ")));
}

std::expected<void, Error> Loader::Protect() {
  for (const Elf64_Phdr& segment : Segments()) {
    const std::uint64_t address = base_ + segment.p_vaddr;
    if (segment.p_type == PT_GNU_EH_FRAME) {
      // The frames end with a zero, which lld puts there. .eh_frame_hdr: version, three encodings,
      // then the frames' place relative to the field.
      const auto field = address + 4;
      const auto distance = *reinterpret_cast<const std::int32_t*>(field);
      __register_frame(reinterpret_cast<void*>(field + static_cast<std::uint64_t>(distance)));
    }
    if (segment.p_type != PT_GNU_RELRO) continue;
    const std::uint64_t start = address / kPage * kPage;
    const std::uint64_t end = (address + segment.p_memsz) / kPage * kPage;
    if (end > start && ::mprotect(reinterpret_cast<void*>(start), end - start, PROT_READ) != 0) {
      return std::unexpected(ErrnoError("protect it", errno));
    }
  }
  return {};
}

}  // namespace

std::expected<Image, Error> Image::Load(const std::filesystem::path& path, const BuildId& engine,
                                        std::string_view bitcode, const SymbolResolver& resolve) {
  const auto file = MappedFile::Open(path);
  if (!file) return std::unexpected(file.error());
  const auto object = CheckSeal(file->bytes(), engine, bitcode);
  if (!object) return std::unexpected(object.error());
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return std::unexpected(ErrnoError("open it", errno));
  Loader loader(*object, fd.get());
  if (auto mapped = loader.Map(); !mapped) return std::unexpected(std::move(mapped.error()));
  if (auto connected = loader.Connect(resolve); !connected) {
    return std::unexpected(std::move(connected.error()));
  }
  if (auto ready = loader.Protect(); !ready) return std::unexpected(std::move(ready.error()));

  Image image;
  image.path_ = path;
  image.base_ = loader.base();
  image.size_ = loader.size();
  image.index_ = loader.entry();
  const auto& index = *reinterpret_cast<const ImageIndex*>(image.index_);
  const auto at = [&](std::int32_t offset) {
    return image.index_ + static_cast<std::uint64_t>(std::int64_t{offset});
  };
  image.stubs_ = at(index.stubs);
  image.main_ = index.main == 0 ? 0 : at(index.main);
  image.slots_ = {reinterpret_cast<std::uint64_t*>(at(index.slots)), index.functions};
  image.counters_ = {reinterpret_cast<std::int32_t*>(at(index.counters)), index.functions};
  image.bodies_ = {reinterpret_cast<const std::int32_t*>(at(index.bodies)), index.functions};
  image.addresses_ = {reinterpret_cast<const std::int32_t*>(at(index.addresses)), index.variables};
  image.initializers_ = loader.initializers();
  for (std::size_t i = 0; i < image.slots_.size(); ++i) {
    image.slots_[i] = image.bodies_[i] == 0 ? 0 : at(image.bodies_[i]);
  }
  return image;
}

std::vector<std::uint64_t> Image::VariableAddresses() const {
  std::vector<std::uint64_t> addresses;
  for (const std::int32_t offset : addresses_) {
    addresses.push_back(index_ + static_cast<std::uint64_t>(std::int64_t{offset}));
  }
  return addresses;
}

std::string Image::NameOf(std::uint64_t address) const {
  const auto file = MappedFile::Open(path_);
  if (!file) return {};
  return NameOfSymbol(file->bytes(), address - base_);
}

}  // namespace kelvin::engine
