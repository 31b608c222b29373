#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

#include "base/error.h"
#include "engine/exports.h"

namespace kelvin::engine {

// function.image: an ELF shared object with the code of a bitcode module for the baseline CPU, and
// a seal after its last byte. The object's entry address is its ImageIndex.

// The same bytes give the same digest; a guard against damage, not against an enemy.
std::uint64_t Digest(std::string_view bytes);

// Offsets are from the index itself. The numbers of functions and variables are those of the
// bitcode (Compiler::functions).
struct ImageIndex {
  std::uint32_t functions;
  std::uint32_t variables;
  std::int32_t stubs;      // kStubBytes apart, jumping by way of the slots
  std::int32_t slots;      // 64 bits each, empty: the loader fills them
  std::int32_t counters;   // 32 bits each
  std::int32_t bodies;     // 32 bits each: the offset of the code, 0 for a function left out
  std::int32_t addresses;  // 32 bits each: the offset of a variable
  std::int32_t main;       // the stub of main; 0 without one
};

struct ImageSeal {
  char magic[8] = {'K', 'E', 'L', 'V', 'I', 'N', 'I', '1'};
  BuildId engine{};           // the only one that it fits
  char cpu[20] = {};          // the least CPU that it runs on
  std::uint64_t bitcode = 0;  // digest of the function.bc that it was made from
  std::uint64_t object = 0;   // digest of the ELF object
};

// The ELF object within an image's file. Fails when it is not whole, was made for another engine,
// from another function.bc or for a CPU that this one is not; the message says which.
std::expected<std::string_view, Error> CheckSeal(std::string_view file, const BuildId& engine,
                                                 std::string_view bitcode);

}  // namespace kelvin::engine
