#pragma once

#include <llvm/IR/Function.h>

namespace kelvin::engine {

// A function is hot when its calls and the rounds of its loops have counted up to this.
inline constexpr std::int32_t kHotCount = 20'000;
inline constexpr std::int32_t kCallWeight = 10;

// Has `function` count its calls and loop rounds in `counter` (a pointer to an i32), and call
// kHotFunction once it is hot. The count is not atomic: a lost round does no harm. Applied last,
// after all optimisation, it hinders none.
void CountCallsAndLoops(llvm::Function& function, llvm::Value& counter);

}  // namespace kelvin::engine
