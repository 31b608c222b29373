#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/object_linker.h"

namespace kelvin::engine {

enum class Tier {
  kQuick,      // compiled as fast as possible, counting how hot it gets
  kOptimized,  // optimised for the CPU it runs on
};

// Where a module's functions are called and counted, by their number: the order of the bitcode.
struct FunctionPlaces {
  std::uint64_t stubs = 0;  // kStubBytes apart
  std::span<std::int32_t> counters = {};
};

struct CompiledCode {
  std::uint64_t entry = 0;
  std::uint64_t start = 0;  // the bounds of the machine code
  std::uint64_t end = 0;
};

// Called with each object before it is linked and where it came to lie; for debuggers.
using ObjectObserver = std::function<void(std::string_view object, const LinkedObject& linked)>;

// Compiles the functions of one bitcode module, one at a time. The two tiers have nothing in common
// but the module's variables, so that one thread can compile in each at the same time.
class Compiler {
 public:
  // Reads the module's outline. `bitcode` and `memory` outlive the object; `resolve` knows what the
  // module does not define, and must be thread-safe. Fails on bitcode that cannot be used, with a
  // message that says what to rebuild: kCorrupt, kInvalidArgument; kNotFound names the symbols that
  // nobody knows.
  static std::expected<std::unique_ptr<Compiler>, Error> Open(std::string_view name,
                                                              std::string_view bitcode,
                                                              CodeMemory& memory,
                                                              SymbolResolver resolve,
                                                              ObjectObserver observer = {});
  ~Compiler();
  Compiler(const Compiler&) = delete;
  Compiler& operator=(const Compiler&) = delete;

  // The functions that the module defines, in its order.
  const std::vector<std::string>& functions() const;
  std::optional<std::uint32_t> IndexOf(std::string_view function) const;
  // Numbers of the functions that initialise the module, in the order in which they run.
  const std::vector<std::uint32_t>& initializers() const;
  std::size_t variable_count() const;

  // To be called before Compile.
  void Place(const FunctionPlaces& places);
  // The module's variables, in its order, are in memory already: an image holds them.
  void PlaceVariables(std::span<const std::uint64_t> addresses);

  struct Ahead {
    std::uint32_t function = 0;
    CompiledCode code;
  };
  // Compiles in the quick tier, all in one go, the functions that a run which goes well will
  // probably call, from the initialisers and main on: those within `instructions` of bitcode. Once
  // only, before any other function is compiled.
  std::expected<std::vector<Ahead>, Error> CompileAhead(std::size_t instructions);

  // Ready to run. Thread-safe; calls for one tier wait for each other.
  std::expected<CompiledCode, Error> Compile(std::uint32_t function, Tier tier);

 private:
  class Impl;
  explicit Compiler(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kelvin::engine
