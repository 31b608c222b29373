#include "engine/elf_symbols.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>

#include <elf.h>
#include <fmt/format.h>

namespace kelvin::engine {
namespace {

constexpr std::string_view kWrap = "__wrap_";
constexpr unsigned kGnuUnique = 10;    // STB_GNU_UNIQUE
constexpr unsigned kGnuIndirect = 10;  // STT_GNU_IFUNC

std::unexpected<Error> Bad(std::string_view what) {
  return std::unexpected(Error{
      ErrorCode::kInvalidArgument,
      fmt::format("expected a 64-bit ELF program with a symbol table and a build id, {}", what)});
}

template <typename T>
std::span<const T> TableAt(std::string_view elf, std::uint64_t offset, std::uint64_t size) {
  if (offset > elf.size() || size > elf.size() - offset || offset % alignof(T) != 0) return {};
  return {reinterpret_cast<const T*>(elf.data() + offset), size / sizeof(T)};
}

// Calls `use` with each symbol and its name. False when it is no 64-bit ELF file.
template <typename Use>
bool ForEachSymbol(std::string_view elf, Use&& use) {
  const auto headers = TableAt<Elf64_Ehdr>(elf, 0, sizeof(Elf64_Ehdr));
  if (headers.empty() || std::memcmp(headers[0].e_ident, ELFMAG, SELFMAG) != 0 ||
      headers[0].e_ident[EI_CLASS] != ELFCLASS64) {
    return false;
  }
  const auto sections = TableAt<Elf64_Shdr>(elf, headers[0].e_shoff,
                                            std::uint64_t{headers[0].e_shnum} * sizeof(Elf64_Shdr));
  for (const Elf64_Shdr& section : sections) {
    if (section.sh_type != SHT_SYMTAB || section.sh_link >= sections.size()) continue;
    const Elf64_Shdr& names = sections[section.sh_link];
    const auto text = TableAt<char>(elf, names.sh_offset, names.sh_size);
    for (const Elf64_Sym& symbol : TableAt<Elf64_Sym>(elf, section.sh_offset, section.sh_size)) {
      if (symbol.st_name >= text.size()) continue;
      const auto rest = text.subspan(symbol.st_name);
      const auto size = static_cast<std::size_t>(std::ranges::find(rest, '\0') - rest.begin());
      use(symbol, std::string_view(rest.data(), size));
    }
  }
  return true;
}

std::optional<ExportKind> KindOf(const Elf64_Sym& symbol) {
  const unsigned binding = ELF64_ST_BIND(symbol.st_info);
  // The linker makes hidden names local, those of the static C library among them.
  const bool hidden = binding == STB_LOCAL && ELF64_ST_VISIBILITY(symbol.st_other) == STV_HIDDEN;
  if (!hidden && binding != STB_GLOBAL && binding != STB_WEAK && binding != kGnuUnique) {
    return std::nullopt;
  }
  if (symbol.st_shndx == SHN_UNDEF || symbol.st_shndx == SHN_ABS) return std::nullopt;
  switch (ELF64_ST_TYPE(symbol.st_info)) {
    case STT_FUNC:
    case STT_NOTYPE:
      return ExportKind::kFunction;
    case STT_OBJECT:
      return ExportKind::kObject;
    case kGnuIndirect:
      return ExportKind::kIndirect;
    case STT_TLS:
      return ExportKind::kThreadLocal;
    default:
      return std::nullopt;
  }
}

// LLVM is the engine's own affair, and a function's main is not the engine's.
bool IsPrivate(std::string_view name) {
  return name.empty() || name == "main" || name == "_start" ||
         name.find("N4llvm") != std::string_view::npos ||
         name.find("4llvm") != std::string_view::npos || name.starts_with("LLVM") ||
         name.find("6kelvin6engine") != std::string_view::npos;
}

std::optional<BuildId> BuildIdIn(std::span<const Elf64_Word> note) {
  // name size, descriptor size, type, "GNU\0", descriptor
  constexpr std::size_t kHeaderWords = 4;
  BuildId id{};
  if (note.size() < kHeaderWords + id.size() / 4 || note[0] != 4 || note[1] != id.size() ||
      note[2] != NT_GNU_BUILD_ID) {
    return std::nullopt;
  }
  std::memcpy(id.data(), note.data() + kHeaderWords, id.size());
  return id;
}

std::optional<BuildId> FindBuildId(std::string_view elf) {
  const auto headers = TableAt<Elf64_Ehdr>(elf, 0, sizeof(Elf64_Ehdr));
  const auto sections = TableAt<Elf64_Shdr>(elf, headers[0].e_shoff,
                                            std::uint64_t{headers[0].e_shnum} * sizeof(Elf64_Shdr));
  for (const Elf64_Shdr& section : sections) {
    if (section.sh_type != SHT_NOTE) continue;
    const auto id = BuildIdIn(TableAt<Elf64_Word>(elf, section.sh_offset, section.sh_size));
    if (id) return id;
  }
  return std::nullopt;
}

}  // namespace

std::expected<ProgramSymbols, Error> ReadProgramSymbols(std::string_view elf) {
  ProgramSymbols result;
  const bool read = ForEachSymbol(elf, [&](const Elf64_Sym& symbol, std::string_view name) {
    const auto kind = KindOf(symbol);
    if (!kind || IsPrivate(name)) return;
    // What the linker's --wrap puts in another function's place is what functions get by its name.
    const bool wrap = name.starts_with(kWrap);
    result.symbols.push_back(
        {std::string(wrap ? name.substr(kWrap.size()) : name), symbol.st_value, *kind, wrap});
  });
  if (!read) return Bad("got something else");
  if (result.symbols.empty()) return Bad("found no symbols");
  const auto id = FindBuildId(elf);
  if (!id) return Bad("found no build id");
  result.build_id = *id;
  std::ranges::sort(result.symbols, {}, [](const Export& symbol) {
    return std::pair<std::string_view, bool>(symbol.name, !symbol.is_wrap);
  });
  const auto twice = std::ranges::unique(result.symbols, {}, &Export::name);
  result.symbols.erase(twice.begin(), twice.end());
  return result;
}

std::string NameOfSymbol(std::string_view elf, std::uint64_t address) {
  std::uint64_t best = 0;
  std::string_view best_name;
  ForEachSymbol(elf, [&](const Elf64_Sym& symbol, std::string_view name) {
    if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_shndx == SHN_UNDEF) return;
    if (symbol.st_value > address || symbol.st_value < best) return;
    best = symbol.st_value;
    best_name = name;
  });
  if (best_name.empty()) return {};
  return fmt::format("{}+{:#x}", best_name, address - best);
}

}  // namespace kelvin::engine
