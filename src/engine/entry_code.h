#pragma once

#include <cstdint>
#include <expected>
#include <span>

#include "base/error.h"
#include "engine/code_memory.h"

namespace kelvin::engine {

class Engine;

// The few machine instructions between compiled functions and the engine; x86-64, System V.
//
// A function of a module is called by its stub, `jmp *slot`. A slot leads to the function's newest
// code, and before there is any to a lazy entry, which has the engine compile the function and goes
// on there with all argument registers as they came.

inline constexpr std::size_t kStubBytes = 8;

// Stubs for the slots, one after the other, kStubBytes apart.
std::expected<std::uint64_t, Error> MakeStubs(CodeMemory& memory,
                                              std::span<const std::uint64_t> slots);

// Lazy entries call engine.Compile(function), numbered from `first`; one after the other,
// kLazyEntryBytes apart.
inline constexpr std::size_t kLazyEntryBytes = 16;
std::expected<std::uint64_t, Error> MakeLazyEntries(CodeMemory& memory, Engine& engine,
                                                    std::uint32_t first, std::uint32_t count);

// A function that calls `target` with `engine` as one more argument, after the `integers` that it
// takes itself.
std::expected<std::uint64_t, Error> BindEngine(CodeMemory& memory, Engine& engine,
                                               std::uint64_t target, unsigned integers);

}  // namespace kelvin::engine
