#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/exports.h"

namespace kelvin::engine {

// What a linked program offers by name, and its build id. Fails with kInvalidArgument on what is no
// 64-bit ELF program with a symbol table and a build id.
struct ProgramSymbols {
  std::vector<Export> symbols;
  BuildId build_id{};
};
std::expected<ProgramSymbols, Error> ReadProgramSymbols(std::string_view elf);

// The function of an ELF file that holds the address, as "name+0x1f"; empty if unknown.
std::string NameOfSymbol(std::string_view elf, std::uint64_t address);

}  // namespace kelvin::engine
