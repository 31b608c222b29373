#include "engine/image_loader.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/mman.h>

#include "engine/entry_code.h"

extern "C" void __register_frame(void* frames);

namespace kelvin::engine {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kMaxSize = std::uint64_t{1} << 30;

std::unexpected<Error> Unfit(ErrorCode code, std::string message) {
  return std::unexpected(Error{code, std::move(message)});
}

std::unexpected<Error> Damaged() {
  return Unfit(ErrorCode::kCorrupt, "it is no shared object for x86-64 that can be loaded");
}

template <typename T>
T ReadAt(std::uint64_t address) {
  T value;
  std::memcpy(&value, reinterpret_cast<const void*>(address), sizeof value);
  return value;
}

}  // namespace

ImageLoader::~ImageLoader() {
  if (base_ != 0 && !kept_) ::munmap(reinterpret_cast<void*>(base_), size_);
}

std::expected<void, Error> ImageLoader::CheckHeaders() const {
  if (object_.size() < sizeof(Elf64_Ehdr) || Header().e_type != ET_DYN ||
      Header().e_machine != EM_X86_64 || Header().e_phoff % alignof(Elf64_Phdr) != 0 ||
      Header().e_phoff > object_.size() ||
      Header().e_phnum > (object_.size() - Header().e_phoff) / sizeof(Elf64_Phdr)) {
    return Damaged();
  }
  for (const Elf64_Phdr& segment : Segments()) {
    if (segment.p_vaddr > kMaxSize || segment.p_memsz > kMaxSize) return Damaged();
    if (segment.p_type == PT_TLS) {
      return Unfit(ErrorCode::kInvalidArgument, "it has thread-local storage of its own");
    }
    if (segment.p_type != PT_LOAD) continue;
    if (segment.p_filesz > segment.p_memsz || segment.p_offset > object_.size() ||
        segment.p_filesz > object_.size() - segment.p_offset ||
        segment.p_vaddr % kPage != segment.p_offset % kPage) {
      return Damaged();
    }
  }
  return {};
}

std::expected<void, Error> ImageLoader::Map() {
  if (auto checked = CheckHeaders(); !checked) return checked;
  std::uint64_t size = 0;
  for (const Elf64_Phdr& segment : Segments()) {
    if (segment.p_type == PT_LOAD) size = std::max(size, segment.p_vaddr + segment.p_memsz);
  }
  if (size == 0) return Damaged();
  size_ = (size + kPage - 1) / kPage * kPage;
  void* const room =
      ::mmap(nullptr, size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  if (room == MAP_FAILED) return std::unexpected(ErrnoError("reserve memory for it", errno));
  base_ = reinterpret_cast<std::uint64_t>(room);
  std::uint64_t end = 0;  // of the pages that are taken
  for (const Elf64_Phdr& segment : Segments()) {
    if (segment.p_type != PT_LOAD || segment.p_memsz == 0) continue;
    if (segment.p_vaddr < end) return Damaged();
    end = (segment.p_vaddr + segment.p_memsz + kPage - 1) / kPage * kPage;
    if (auto mapped = MapSegment(segment); !mapped) return mapped;
  }
  return {};
}

std::expected<void, Error> ImageLoader::MapSegment(const Elf64_Phdr& segment) {
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

bool ImageLoader::Holds(std::uint64_t address, std::uint64_t bytes, std::uint32_t flags) const {
  const std::uint64_t offset = address - base_;
  return std::ranges::any_of(Segments(), [&](const Elf64_Phdr& segment) {
    return segment.p_type == PT_LOAD && (segment.p_flags & flags) == flags &&
           offset >= segment.p_vaddr && offset - segment.p_vaddr <= segment.p_memsz &&
           bytes <= segment.p_memsz - (offset - segment.p_vaddr);
  });
}

std::uint64_t ImageLoader::Dynamic(std::int64_t tag) const {
  for (const Elf64_Phdr& segment : Segments()) {
    if (segment.p_type != PT_DYNAMIC || !Holds(base_ + segment.p_vaddr, segment.p_memsz, PF_R)) {
      continue;
    }
    for (std::uint64_t at = 0; at + sizeof(Elf64_Dyn) <= segment.p_memsz; at += sizeof(Elf64_Dyn)) {
      const auto entry = ReadAt<Elf64_Dyn>(base_ + segment.p_vaddr + at);
      if (entry.d_tag == DT_NULL) return 0;
      if (entry.d_tag == tag) return entry.d_un.d_val;
    }
  }
  return 0;
}

std::expected<std::uint64_t, Error> ImageLoader::AddressOf(std::uint32_t symbol,
                                                           const SymbolResolver& resolve) {
  const std::uint64_t place = symbols_ + std::uint64_t{symbol} * sizeof(Elf64_Sym);
  if (!Holds(place, sizeof(Elf64_Sym), PF_R)) return Damaged();
  const auto entry = ReadAt<Elf64_Sym>(place);
  if (entry.st_shndx != SHN_UNDEF) return base_ + entry.st_value;
  if (entry.st_name >= names_.size()) return Damaged();
  const std::string_view rest = names_.substr(entry.st_name);
  const std::string_view text = rest.substr(0, rest.find('\0'));
  const auto address = resolve(text);
  if (!address && ELF64_ST_BIND(entry.st_info) != STB_WEAK) missing_.emplace_back(text);
  return address.value_or(0);
}

std::expected<void, Error> ImageLoader::Relocate(std::uint64_t table, std::uint64_t bytes,
                                                 const SymbolResolver& resolve) {
  if (bytes == 0) return {};
  if (!Holds(base_ + table, bytes, PF_R)) return Damaged();
  for (std::uint64_t at = 0; at + sizeof(Elf64_Rela) <= bytes; at += sizeof(Elf64_Rela)) {
    const auto entry = ReadAt<Elf64_Rela>(base_ + table + at);
    const std::uint64_t place = base_ + entry.r_offset;
    std::uint64_t value = base_ + static_cast<std::uint64_t>(entry.r_addend);
    if (!Holds(place, sizeof value, PF_R | PF_W)) return Damaged();
    switch (ELF64_R_TYPE(entry.r_info)) {
      case R_X86_64_RELATIVE:
        break;
      case R_X86_64_GLOB_DAT:
      case R_X86_64_JUMP_SLOT:
      case R_X86_64_64: {
        const auto address = AddressOf(ELF64_R_SYM(entry.r_info), resolve);
        if (!address) return std::unexpected(address.error());
        value = *address + static_cast<std::uint64_t>(entry.r_addend);
        break;
      }
      default:
        return Unfit(ErrorCode::kInvalidArgument,
                     fmt::format("it has relocations of kind {}", ELF64_R_TYPE(entry.r_info)));
    }
    std::memcpy(reinterpret_cast<void*>(place), &value, sizeof value);
  }
  return {};
}

std::expected<void, Error> ImageLoader::Connect(const SymbolResolver& resolve) {
  symbols_ = base_ + Dynamic(DT_SYMTAB);
  const std::uint64_t names = base_ + Dynamic(DT_STRTAB);
  const std::uint64_t bytes = Dynamic(DT_STRSZ);
  if (!Holds(names, bytes, PF_R)) return Damaged();
  names_ = {reinterpret_cast<const char*>(names), bytes};
  if (auto done = Relocate(Dynamic(DT_RELA), Dynamic(DT_RELASZ), resolve); !done) return done;
  if (auto done = Relocate(Dynamic(DT_JMPREL), Dynamic(DT_PLTRELSZ), resolve); !done) return done;
  if (missing_.empty()) return {};
  return Unfit(ErrorCode::kNotFound,
               fmt::format("the engine has no {}", fmt::join(missing_, ", ")));
}

std::expected<const ImageIndex*, Error> ImageLoader::Index() const {
  const std::uint64_t place = base_ + Header().e_entry;
  if (place % alignof(ImageIndex) != 0 || !Holds(place, sizeof(ImageIndex), PF_R)) return Damaged();
  const auto& index = *reinterpret_cast<const ImageIndex*>(place);
  const auto holds = [&](std::int32_t offset, std::uint64_t count, std::uint64_t bytes,
                         std::uint32_t flags) {
    const std::uint64_t at = place + static_cast<std::uint64_t>(std::int64_t{offset});
    return at % std::min<std::uint64_t>(bytes, 8) == 0 && Holds(at, count * bytes, flags);
  };
  const std::uint64_t functions = index.functions;
  if (!holds(index.stubs, functions, kStubBytes, PF_X) ||
      !holds(index.slots, functions, 8, PF_R | PF_W) ||
      !holds(index.counters, functions, 4, PF_R | PF_W) ||
      !holds(index.bodies, functions, 4, PF_R) ||
      !holds(index.addresses, index.variables, 4, PF_R) ||
      (index.main != 0 && !holds(index.main, 1, 1, PF_X)) ||
      !Holds(base_ + Dynamic(DT_INIT_ARRAY), Dynamic(DT_INIT_ARRAYSZ), PF_R) ||
      (base_ + Dynamic(DT_INIT_ARRAY)) % alignof(void*) != 0) {
    return Damaged();
  }
  const std::span bodies(reinterpret_cast<const std::int32_t*>(
                             place + static_cast<std::uint64_t>(std::int64_t{index.bodies})),
                         functions);
  for (const std::int32_t body : bodies) {
    if (body != 0 && !holds(body, 1, 1, PF_X)) return Damaged();
  }
  return &index;
}

std::span<void (*const)()> ImageLoader::initializers() const {
  return {reinterpret_cast<void (*const*)()>(base_ + Dynamic(DT_INIT_ARRAY)),
          Dynamic(DT_INIT_ARRAYSZ) / sizeof(void*)};
}

std::expected<void, Error> ImageLoader::Protect() {
  for (const Elf64_Phdr& segment : Segments()) {
    const std::uint64_t address = base_ + segment.p_vaddr;
    if (segment.p_type == PT_GNU_RELRO && Holds(address, segment.p_memsz, PF_R)) {
      const std::uint64_t start = address / kPage * kPage;
      const std::uint64_t end = (address + segment.p_memsz) / kPage * kPage;
      if (end > start && ::mprotect(reinterpret_cast<void*>(start), end - start, PROT_READ) != 0) {
        return std::unexpected(ErrnoError("protect it", errno));
      }
    }
  }
  for (const Elf64_Phdr& segment : Segments()) {
    if (segment.p_type != PT_GNU_EH_FRAME) continue;
    // The frames end with a zero, which lld puts there. .eh_frame_hdr: version, three encodings,
    // then the frames' place relative to the field.
    const std::uint64_t field = base_ + segment.p_vaddr + 4;
    if (!Holds(field, sizeof(std::int32_t), PF_R)) return Damaged();
    const std::uint64_t frames =
        field + static_cast<std::uint64_t>(std::int64_t{ReadAt<std::int32_t>(field)});
    if (!Holds(frames, sizeof(std::uint32_t), PF_R)) return Damaged();
    __register_frame(reinterpret_cast<void*>(frames));
  }
  kept_ = true;
  return {};
}

}  // namespace kelvin::engine
