#include "package/elf_file.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <memory>
#include <set>

#include <elf.h>
#include <fmt/format.h>
#include <gelf.h>
#include <libelf.h>

namespace kelvin::package {
namespace {

constexpr std::size_t kMaxKept = 1'000'000;    // symbols and relocations looked at one by one
constexpr std::size_t kSymbolsPerVersion = 4;  // enough to find the culprit

struct EndElf {
  void operator()(Elf* elf) const { elf_end(elf); }
};

std::unexpected<Error> Damaged(std::string_view why) {
  return std::unexpected(
      Error{ErrorCode::kInvalidArgument,
            fmt::format("expected a whole ELF file, {}; copy or link it again", why)});
}

// Whether `count` things of `each` bytes at `offset` lie within the file.
bool Within(std::uint64_t file_size, std::uint64_t offset, std::uint64_t count,
            std::uint64_t each = 1) {
  return each == 0 || (offset <= file_size && count <= (file_size - offset) / each);
}

// The checks that libelf leaves to its callers, on the headers as they are in the file.
std::expected<void, Error> CheckHeader(std::string_view bytes, const Elf64_Ehdr& header) {
  if (header.e_version != EV_CURRENT) {
    return Damaged(fmt::format("its header says version {}", header.e_version));
  }
  if (header.e_phoff != 0 &&
      (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == PN_XNUM ||
       !Within(bytes.size(), header.e_phoff, header.e_phnum, sizeof(Elf64_Phdr)))) {
    return Damaged(fmt::format("its {} program headers at offset {} are not within its {} bytes",
                               header.e_phnum, header.e_phoff, bytes.size()));
  }
  if (header.e_shoff != 0 &&
      (header.e_shentsize != sizeof(Elf64_Shdr) || header.e_shnum == 0 ||
       header.e_shoff % alignof(Elf64_Shdr) != 0 ||
       !Within(bytes.size(), header.e_shoff, header.e_shnum, sizeof(Elf64_Shdr)))) {
    return Damaged(fmt::format("its {} section headers at offset {} are not within its {} bytes",
                               header.e_shnum, header.e_shoff, bytes.size()));
  }
  if (header.e_shoff != 0 && header.e_shstrndx >= header.e_shnum) {
    return Damaged(fmt::format("the names of its sections are in section {} of {}",
                               header.e_shstrndx, header.e_shnum));
  }
  return {};
}

class Reader {
 public:
  Reader(Elf* elf, std::string_view bytes) : elf_(elf), bytes_(bytes) {}

  std::expected<ElfFile, Error> Run(const Elf64_Ehdr& header) {
    file_.machine = header.e_machine;
    if (auto read = ReadSegments(header); !read) return std::unexpected(std::move(read.error()));
    if (auto read = ReadSections(); !read) return std::unexpected(std::move(read.error()));
    ReadDynamic();
    ReadVersions();
    for (const Section& section : raw_) ReadBySection(section);
    file_.kind = KindOf(header);
    FinishRelro();
    std::ranges::sort(file_.functions, {}, &ElfFunction::address);
    return std::move(file_);
  }

 private:
  struct Section {
    Elf_Scn* handle;
    Elf64_Shdr header;
  };

  std::expected<void, Error> ReadSegments(const Elf64_Ehdr& header) {
    for (std::size_t i = 0; header.e_phoff != 0 && i < header.e_phnum; ++i) {
      Elf64_Phdr segment;
      std::memcpy(&segment, bytes_.data() + header.e_phoff + i * sizeof segment, sizeof segment);
      if (segment.p_type != PT_NULL && segment.p_filesz != 0 &&
          !Within(bytes_.size(), segment.p_offset, segment.p_filesz)) {
        return Damaged(
            fmt::format("its program header {} points to {} bytes at offset {}, the file "
                        "has {}",
                        i, segment.p_filesz, segment.p_offset, bytes_.size()));
      }
      file_.segments.push_back({.type = segment.p_type,
                                .offset = segment.p_offset,
                                .file_size = segment.p_filesz,
                                .address = segment.p_vaddr,
                                .memory_size = segment.p_memsz,
                                .readable = (segment.p_flags & PF_R) != 0,
                                .writable = (segment.p_flags & PF_W) != 0,
                                .executable = (segment.p_flags & PF_X) != 0});
      if (segment.p_type == PT_INTERP) {
        const std::string_view path = bytes_.substr(segment.p_offset, segment.p_filesz);
        file_.interpreter = path.substr(0, path.find('\0'));
      } else if (segment.p_type == PT_GNU_STACK) {
        file_.stack_execution =
            (segment.p_flags & PF_X) != 0 ? StackExecution::kYes : StackExecution::kNo;
      } else if (segment.p_type == PT_GNU_RELRO) {
        file_.relro = Relro::kPartial;
      }
    }
    return {};
  }

  std::expected<void, Error> ReadSections() {
    std::size_t names = 0;
    if (elf_getshdrstrndx(elf_, &names) != 0) return {};
    Elf_Scn* handle = nullptr;
    while ((handle = elf_nextscn(elf_, handle)) != nullptr) {
      const Elf64_Shdr* header = elf64_getshdr(handle);
      if (header == nullptr) return Damaged("a section header cannot be read");
      const bool in_file = header->sh_type != SHT_NOBITS && header->sh_type != SHT_NULL;
      if (in_file && !Within(bytes_.size(), header->sh_offset, header->sh_size)) {
        return Damaged(fmt::format("its section {} has {} bytes at offset {}, the file has {}",
                                   elf_ndxscn(handle), header->sh_size, header->sh_offset,
                                   bytes_.size()));
      }
      const char* name = elf_strptr(elf_, names, header->sh_name);
      file_.sections.push_back({.name = name != nullptr ? name : "",
                                .address = header->sh_addr,
                                .offset = header->sh_offset,
                                .size = header->sh_size,
                                .in_file = in_file,
                                .writable = (header->sh_flags & SHF_WRITE) != 0,
                                .executable = (header->sh_flags & SHF_EXECINSTR) != 0,
                                .loaded = (header->sh_flags & SHF_ALLOC) != 0});
      raw_.push_back({handle, *header});
    }
    return {};
  }

  // The bytes of the file that are at an address when it runs.
  std::string_view AtAddress(std::uint64_t address) const {
    for (const ElfSegment& segment : file_.segments) {
      if (segment.type != PT_LOAD || address < segment.address) continue;
      const std::uint64_t inside = address - segment.address;
      if (inside < segment.file_size) {
        return bytes_.substr(segment.offset + inside, segment.file_size - inside);
      }
    }
    return {};
  }

  std::string StringAt(std::uint64_t table, std::uint64_t offset) const {
    const std::string_view strings = AtAddress(table);
    if (offset >= strings.size()) return {};
    const std::string_view text = strings.substr(offset);
    return std::string(text.substr(0, text.find('\0')));
  }

  void ReadDynamic() {
    std::vector<Elf64_Dyn> entries;
    for (const ElfSegment& segment : file_.segments) {
      if (segment.type != PT_DYNAMIC) continue;
      for (std::size_t at = 0; at + sizeof(Elf64_Dyn) <= segment.file_size;
           at += sizeof(Elf64_Dyn)) {
        Elf64_Dyn entry;
        std::memcpy(&entry, bytes_.data() + segment.offset + at, sizeof entry);
        if (entry.d_tag == DT_NULL || entries.size() >= kMaxKept) break;
        entries.push_back(entry);
      }
    }
    std::uint64_t strings = 0;
    for (const Elf64_Dyn& entry : entries) {
      if (entry.d_tag == DT_STRTAB) strings = entry.d_un.d_ptr;
    }
    for (const Elf64_Dyn& entry : entries) {
      const std::uint64_t value = entry.d_un.d_val;
      switch (entry.d_tag) {
        case DT_NEEDED:
          file_.needed.push_back(StringAt(strings, value));
          break;
        case DT_RPATH:
        case DT_RUNPATH:
          file_.search_paths.push_back(StringAt(strings, value));
          break;
        case DT_BIND_NOW:
          file_.bind_now = true;
          break;
        case DT_FLAGS:
          file_.bind_now |= (value & DF_BIND_NOW) != 0;
          break;
        case DT_FLAGS_1:
          file_.bind_now |= (value & DF_1_NOW) != 0;
          pie_flag_ = (value & DF_1_PIE) != 0;
          break;
        case DT_INIT_ARRAYSZ:
        case DT_PREINIT_ARRAYSZ:
          file_.initialisers += value / sizeof(Elf64_Addr);
          break;
        default:
          break;
      }
    }
    has_dynamic_section_ = !entries.empty();
    file_.dynamic = !file_.needed.empty() || !file_.interpreter.empty();
  }

  // Index of a version -> where it is in file_.versions.
  void ReadVersions() {
    for (const Section& section : raw_) {
      if (section.header.sh_type != SHT_GNU_verneed) continue;
      Elf_Data* data = elf_getdata(section.handle, nullptr);
      if (data == nullptr) continue;
      int need_at = 0;
      GElf_Verneed need;
      for (std::size_t i = 0; i < kMaxKept && gelf_getverneed(data, need_at, &need) != nullptr;
           ++i) {
        const char* library = elf_strptr(elf_, section.header.sh_link, need.vn_file);
        int aux_at = need_at + static_cast<int>(need.vn_aux);
        GElf_Vernaux aux;
        for (int j = 0; j < need.vn_cnt && gelf_getvernaux(data, aux_at, &aux) != nullptr; ++j) {
          const char* version = elf_strptr(elf_, section.header.sh_link, aux.vna_name);
          if (library != nullptr && version != nullptr) {
            version_index_[aux.vna_other] = file_.versions.size();
            file_.versions.push_back({.library = library, .version = version, .symbols = {}});
          }
          if (aux.vna_next == 0 || aux.vna_next > data->d_size) break;
          aux_at += static_cast<int>(aux.vna_next);
        }
        if (need.vn_next == 0 || need.vn_next > data->d_size) break;
        need_at += static_cast<int>(need.vn_next);
      }
    }
  }

  void ReadBySection(const Section& section) {
    switch (section.header.sh_type) {
      case SHT_DYNSYM:
        return ReadImports(section);
      case SHT_SYMTAB:
        return ReadFunctions(section);
      case SHT_RELA:
        if ((section.header.sh_flags & SHF_ALLOC) != 0) CountRelocations(section);
        return;
      case SHT_RELR:
        return CountPackedRelocations(section);
      case SHT_NOTE:
        return ReadNotes(section);
      case SHT_INIT_ARRAY:
      case SHT_PREINIT_ARRAY:
        // Without a dynamic section the start code takes the bounds from symbols instead.
        if (!has_dynamic_section_) {
          file_.initialisers += section.header.sh_size / sizeof(Elf64_Addr);
        }
        return;
      default:
        return;
    }
  }

  void ReadImports(const Section& section) {
    Elf_Data* data = elf_getdata(section.handle, nullptr);
    Elf_Data* versions = nullptr;
    for (const Section& other : raw_) {
      if (other.header.sh_type == SHT_GNU_versym) versions = elf_getdata(other.handle, nullptr);
    }
    GElf_Sym symbol;
    for (int i = 1; data != nullptr && static_cast<std::size_t>(i) < kMaxKept &&
                    gelf_getsym(data, i, &symbol) != nullptr;
         ++i) {
      if (symbol.st_shndx != SHN_UNDEF) continue;
      const char* name = elf_strptr(elf_, section.header.sh_link, symbol.st_name);
      if (name == nullptr || *name == '\0') continue;
      file_.imports.emplace_back(name);
      GElf_Versym version = 0;
      if (versions == nullptr || gelf_getversym(versions, i, &version) == nullptr) continue;
      const auto found = version_index_.find(version & 0x7fff);
      if (found == version_index_.end()) continue;
      auto& symbols = file_.versions[found->second].symbols;
      if (symbols.size() < kSymbolsPerVersion) symbols.emplace_back(name);
    }
  }

  void ReadFunctions(const Section& section) {
    Elf_Data* data = elf_getdata(section.handle, nullptr);
    GElf_Sym symbol;
    for (int i = 1; data != nullptr && static_cast<std::size_t>(i) < kMaxKept &&
                    gelf_getsym(data, i, &symbol) != nullptr;
         ++i) {
      const int type = GELF_ST_TYPE(symbol.st_info);
      if (symbol.st_shndx == SHN_UNDEF || (type != STT_FUNC && type != STT_GNU_IFUNC)) continue;
      const char* name = elf_strptr(elf_, section.header.sh_link, symbol.st_name);
      if (name == nullptr) continue;
      file_.functions.push_back({name, symbol.st_value, symbol.st_size});
    }
  }

  void CountRelocations(const Section& section) {
    const std::uint64_t count = section.header.sh_size / sizeof(Elf64_Rela);
    for (std::uint64_t i = 0; i < count; ++i) {
      Elf64_Rela relocation;
      std::memcpy(&relocation, bytes_.data() + section.header.sh_offset + i * sizeof relocation,
                  sizeof relocation);
      const std::uint64_t type = ELF64_R_TYPE(relocation.r_info);
      const bool x86 = file_.machine == EM_X86_64;
      if (type == (x86 ? R_X86_64_RELATIVE : R_AARCH64_RELATIVE)) {
        ++file_.relative_relocations;
      } else if (type == (x86 ? R_X86_64_IRELATIVE : R_AARCH64_IRELATIVE)) {
        ++file_.indirect_relocations;
      } else {
        ++file_.symbol_relocations;
      }
    }
  }

  // An even word is the address of one relocation, an odd one a bitmap of the 63 words after it.
  void CountPackedRelocations(const Section& section) {
    for (std::uint64_t at = 0; at + 8 <= section.header.sh_size; at += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes_.data() + section.header.sh_offset + at, sizeof word);
      file_.relative_relocations +=
          (word & 1) == 0 ? 1 : static_cast<std::uint64_t>(__builtin_popcountll(word >> 1));
    }
  }

  void ReadNotes(const Section& section) {
    Elf_Data* data = elf_getdata(section.handle, nullptr);
    if (data == nullptr || file_.machine != EM_X86_64) return;
    std::size_t at = 0;
    GElf_Nhdr note;
    std::size_t name_at = 0;
    std::size_t description_at = 0;
    std::size_t next = 0;
    while ((next = gelf_getnote(data, at, &note, &name_at, &description_at)) > at) {
      at = next;
      const std::string_view all(static_cast<const char*>(data->d_buf), data->d_size);
      if (note.n_type != NT_GNU_PROPERTY_TYPE_0 || !Within(all.size(), name_at, note.n_namesz) ||
          all.substr(name_at, note.n_namesz) != std::string_view("GNU\0", 4) ||
          !Within(all.size(), description_at, note.n_descsz)) {
        continue;
      }
      ReadProperties(all.substr(description_at, note.n_descsz));
    }
  }

  void ReadProperties(std::string_view properties) {
    while (properties.size() >= 8) {
      std::array<std::uint32_t, 2> head{};  // type and size
      std::memcpy(head.data(), properties.data(), sizeof head);
      properties.remove_prefix(sizeof head);
      if (head[1] > properties.size()) return;
      if (head[0] == GNU_PROPERTY_X86_ISA_1_NEEDED && head[1] >= 4) {
        std::memcpy(&file_.needed_isa, properties.data(), sizeof file_.needed_isa);
      }
      const std::size_t padded = (std::size_t{head[1]} + 7) / 8 * 8;
      properties.remove_prefix(std::min(padded, properties.size()));
    }
  }

  ElfKind KindOf(const Elf64_Ehdr& header) const {
    switch (header.e_type) {
      case ET_EXEC:
        return ElfKind::kExecutable;
      case ET_REL:
        return ElfKind::kObject;
      case ET_DYN:
        // A library may have an interpreter too, but then it says no DF_1_PIE and has a name.
        return pie_flag_ || (!file_.interpreter.empty() && header.e_entry != 0)
                   ? ElfKind::kPie
                   : ElfKind::kSharedLibrary;
      default:
        return ElfKind::kOther;
    }
  }

  void FinishRelro() {
    if (file_.relro == Relro::kPartial && (file_.bind_now || !file_.dynamic)) {
      file_.relro = Relro::kFull;
    }
  }

  Elf* elf_;
  std::string_view bytes_;
  ElfFile file_;
  std::vector<Section> raw_;
  std::map<int, std::size_t> version_index_;
  bool pie_flag_ = false;
  bool has_dynamic_section_ = false;
};

ElfFile OtherMachine(std::string_view bytes) {
  ElfFile file;
  file.is_64_bit = bytes[EI_CLASS] == ELFCLASS64;
  file.little_endian = bytes[EI_DATA] == ELFDATA2LSB;
  const auto low = static_cast<unsigned char>(bytes[file.little_endian ? 18 : 19]);
  const auto high = static_cast<unsigned char>(bytes[file.little_endian ? 19 : 18]);
  file.machine = static_cast<std::uint16_t>(low | (high << 8));
  return file;
}

}  // namespace

const ElfSection* ElfFile::Section(std::string_view name) const {
  const auto found = std::ranges::find(sections, name, &ElfSection::name);
  return found != sections.end() ? &*found : nullptr;
}

std::string_view ElfFile::FunctionAt(std::uint64_t address) const {
  auto after = std::ranges::upper_bound(functions, address, {}, &ElfFunction::address);
  // A few may begin at the same place; one without a size covers nothing.
  for (int i = 0; i < 8 && after != functions.begin(); ++i) {
    --after;
    if (address - after->address < after->size) return after->name;
  }
  return {};
}

bool ElfFile::Imports(std::string_view symbol) const {
  return std::ranges::find(imports, symbol) != imports.end();
}

std::expected<ElfFile, Error> ReadElf(std::string_view bytes) {
  if (!bytes.starts_with(ELFMAG)) return Damaged("it does not begin as one");
  if (bytes.size() < sizeof(Elf32_Ehdr)) return Damaged("it ends within its header");
  const char elf_class = bytes[EI_CLASS];
  const char encoding = bytes[EI_DATA];
  if ((elf_class != ELFCLASS32 && elf_class != ELFCLASS64) ||
      (encoding != ELFDATA2LSB && encoding != ELFDATA2MSB)) {
    return Damaged(
        fmt::format("its header says class {} and byte order {}", int{elf_class}, int{encoding}));
  }
  if (elf_class != ELFCLASS64 || encoding != ELFDATA2LSB) return OtherMachine(bytes);
  Elf64_Ehdr header;
  if (bytes.size() < sizeof header) return Damaged("it ends within its header");
  std::memcpy(&header, bytes.data(), sizeof header);
  if (auto checked = CheckHeader(bytes, header); !checked) {
    return std::unexpected(std::move(checked.error()));
  }
  elf_version(EV_CURRENT);
  // libelf reads only, but its interface dates from before const.
  const std::unique_ptr<Elf, EndElf> elf(elf_memory(const_cast<char*>(bytes.data()), bytes.size()));
  if (elf == nullptr || elf_kind(elf.get()) != ELF_K_ELF) return Damaged(elf_errmsg(-1));
  return Reader(elf.get(), bytes).Run(header);
}

}  // namespace kelvin::package
