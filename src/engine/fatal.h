#pragma once

#include <string_view>

namespace kelvin::engine {

// While one lives, running out of memory on this thread ends the process as EndProcess does, and
// says that it happened while compiling: LLVM cannot go on from there. Elsewhere the function gets
// its std::bad_alloc.
class CompilingScope {
 public:
  CompilingScope();
  ~CompilingScope();
  CompilingScope(const CompilingScope&) = delete;
  CompilingScope& operator=(const CompilingScope&) = delete;
};

// From now on the process cannot post an init error any more.
void InitIsOver();

// Ends the process with status 1: in the init phase by an init error of that type, so that the
// caller learns why, later by a line in the log. For failures within compiled code's reach, where
// nobody could take an error.
[[noreturn]] void EndProcess(std::string_view type, std::string_view message);

}  // namespace kelvin::engine
