#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/code_memory.h"
#include "engine/compiler.h"
#include "engine/exports.h"
#include "engine/image.h"

namespace kelvin::engine {

class Engine;

// What all units of an engine share; outlives them.
struct UnitHost {
  Engine& engine;
  CodeMemory& memory;
  SymbolResolver resolve;
  ObjectObserver observer;
};

// A loaded bitcode module, the function's own or a plugin: its functions, which are called by
// slots, and the compiler for them, which is only made when it is needed. Thread-safe.
class Unit {
 public:
  // Numbers of functions begin at `first`, in this engine. `image` is empty in mode jit.
  static std::expected<std::unique_ptr<Unit>, Error> Load(const std::filesystem::path& bitcode,
                                                          std::uint32_t first, UnitHost host);
  static std::expected<std::unique_ptr<Unit>, Error> LoadWithImage(
      const std::filesystem::path& bitcode, const std::filesystem::path& image,
      const BuildId& engine, std::uint32_t first, UnitHost host);

  std::uint32_t first() const { return first_; }
  std::uint32_t count() const { return static_cast<std::uint32_t>(slots_.size()); }
  bool has_image() const { return image_.has_value(); }
  const Image& image() const { return *image_; }

  // Where to call the function of that name; 0 when there is none.
  std::expected<std::uint64_t, Error> StubOf(std::string_view function);
  // Runs static initialisers; lets their exceptions out.
  std::expected<void, Error> Initialize();

  // Makes the function's code unless it has some, and gives its place. True in `made` says that it
  // was compiled now.
  struct Made {
    std::uint64_t entry = 0;
    bool now = false;
  };
  std::expected<Made, Error> CompileQuick(std::uint32_t function);
  // In mode jit, before anything is called: makes the code of the functions that will probably be
  // called soon, and gives how many there are.
  std::expected<std::uint32_t, Error> CompileAhead();
  // Recompiles the function and switches calls over to the new code.
  std::expected<void, Error> CompileOptimized(std::uint32_t function);

  // The function whose counter that is.
  std::optional<std::uint32_t> FunctionOfCounter(const std::int32_t* counter) const;
  // True for the first caller only.
  bool MarkHot(std::uint32_t function);

  // How many functions have run as the image has them.
  std::uint32_t CountImageHits() const;
  // "name+0x1f" for an address in compiled code of the unit; empty for others.
  std::string NameOf(std::uint64_t address);

 private:
  Unit(std::string name, MappedFile bitcode, std::uint32_t first, UnitHost host)
      : name_(std::move(name)), bitcode_(std::move(bitcode)), first_(first), host_(host) {}

  std::expected<void, Error> MakeSlots();
  std::expected<Compiler*, Error> OpenCompiler();
  void Note(std::uint32_t function, const CompiledCode& code);

  std::string name_;
  MappedFile bitcode_;
  std::uint32_t first_;
  UnitHost host_;
  std::optional<Image> image_;
  std::span<std::uint64_t> slots_;
  std::span<std::int32_t> counters_;
  std::uint64_t stubs_ = 0;
  std::unique_ptr<std::atomic<bool>[]> hot_;

  std::mutex compiler_mutex_;
  std::unique_ptr<Compiler> compiler_;
  std::mutex quick_mutex_;
  std::vector<bool> has_code_;

  struct Piece {
    std::uint64_t start;
    std::uint64_t end;
    std::uint32_t function;
  };
  std::mutex pieces_mutex_;
  std::vector<Piece> pieces_;
};

}  // namespace kelvin::engine
