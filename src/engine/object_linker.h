#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/error.h"
#include "engine/code_memory.h"

namespace kelvin::engine {

// Where a name that an object refers to is; nothing when nobody knows it.
using SymbolResolver = std::function<std::optional<std::uint64_t>(std::string_view name)>;

struct LinkedSymbol {
  std::uint64_t address = 0;
  std::uint64_t size = 0;
};

struct LinkedObject {
  std::unordered_map<std::string, LinkedSymbol> symbols;
  std::uint64_t code = 0;  // the bounds of its machine code
  std::uint64_t code_end = 0;
};

// Puts an ELF object into memory, ready to run, and makes its frames known to the unwinder. Fails
// with kNotFound, naming them, on symbols that nobody knows, with kResourceExhausted when the
// memory is used up. Thread-safe, as far as `resolve` is.
std::expected<LinkedObject, Error> LinkObject(std::string_view object, CodeMemory& memory,
                                              const SymbolResolver& resolve);

}  // namespace kelvin::engine
