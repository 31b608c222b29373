#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace kelvin::package {

// What matters of an ELF file to who would run it. Offsets are from the start of the file.
struct ElfSection {
  std::string name;
  std::uint64_t address = 0;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  bool in_file = true;  // false: zeroes that are made at run time (.bss)
  bool writable = false;
  bool executable = false;
  bool loaded = false;
};

struct ElfSegment {
  std::uint32_t type = 0;
  std::uint64_t offset = 0;
  std::uint64_t file_size = 0;
  std::uint64_t address = 0;
  std::uint64_t memory_size = 0;
  bool readable = false;
  bool writable = false;
  bool executable = false;
};

// A symbol version that has to be in a library: "GLIBC_2.34" of "libc.so.6".
struct ElfVersionNeed {
  std::string library;
  std::string version;
  std::vector<std::string> symbols;  // those imported at that version; at most a few are kept
};

struct ElfFunction {
  std::string name;
  std::uint64_t address = 0;
  std::uint64_t size = 0;
};

enum class ElfKind { kExecutable, kPie, kSharedLibrary, kObject, kOther };
enum class Relro { kNone, kPartial, kFull };
enum class StackExecution { kNo, kYes, kUnsaid };  // kUnsaid: no PT_GNU_STACK, which means yes

struct ElfFile {
  std::uint16_t machine = 0;
  bool is_64_bit = true;
  bool little_endian = true;
  ElfKind kind = ElfKind::kOther;
  bool dynamic = false;     // has a dynamic section with needed libraries or an interpreter
  std::string interpreter;  // empty: none
  std::vector<std::string> needed;
  std::vector<std::string> search_paths;  // RPATH and RUNPATH
  std::vector<ElfVersionNeed> versions;
  std::vector<std::string> imports;  // undefined dynamic symbols
  std::vector<ElfSection> sections;
  std::vector<ElfSegment> segments;
  std::vector<ElfFunction> functions;  // from .symtab, sorted by address; empty when stripped
  Relro relro = Relro::kNone;
  bool bind_now = false;
  StackExecution stack_execution = StackExecution::kUnsaid;
  std::uint64_t relative_relocations = 0;
  std::uint64_t symbol_relocations = 0;
  std::uint64_t indirect_relocations = 0;  // run a resolver at start (IFUNC)
  std::uint64_t initialisers = 0;          // entries of .init_array and .preinit_array
  std::uint32_t needed_isa = 0;            // GNU_PROPERTY_X86_ISA_1_NEEDED: bits for v1 to v4

  const ElfSection* Section(std::string_view name) const;
  // The name of the function that covers an address, or empty.
  std::string_view FunctionAt(std::uint64_t address) const;
  bool Imports(std::string_view symbol) const;
};

// Reads what the headers say. Bytes that are no ELF file, or whose headers point outside the file
// or cannot be, give kInvalidArgument, which names the header. Of files for other machines than 64
// bit little endian only the kind is read. Never reads outside `bytes`, whatever they are.
std::expected<ElfFile, Error> ReadElf(std::string_view bytes);

}  // namespace kelvin::package
