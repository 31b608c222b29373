#pragma once

#include <string>
#include <string_view>

namespace kelvin::engine {

// Called with the counter of a function that became hot (instrument.h).
inline constexpr char kHotFunction[] = "kelvin_engine_hot";

// Whether the engine gives the name a meaning of its own, beside what its program exports: what
// counting functions call (instrument.h), and the handle by which static objects register their
// destructors.
bool IsSpecial(std::string_view name);

// The function of the engine's program that gives the address of one of its thread-local
// variables, for the variables that have one.
std::string ThreadLocalAccessor(std::string_view variable);

}  // namespace kelvin::engine
