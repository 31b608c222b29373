#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <expected>
#include <filesystem>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "engine/activity.h"
#include "engine/code_memory.h"
#include "engine/exports.h"
#include "engine/unit.h"
#include "kelvin/logger.h"
#include "runtime/hooks.h"

namespace kelvin::engine {

struct EngineOptions {
  std::filesystem::path package;  // the folder with function.bc and, in mode r2r, function.image
  bool report_activity = false;   // KELVIN_ENGINE_LOG
  LogFormat log_format = LogFormat::kText;
  bool tell_debugger = false;  // KELVIN_ENGINE_GDB
  bool compile_ahead = true;   // KELVIN_ENGINE_AHEAD
};

// Runs a package of mode jit or r2r: the compiled form of docs/engine.md. The function's own thread
// calls into it as functions are called for the first time (Compile) and as they become hot (Hot);
// a thread of its own, which lives while there are any, compiles those again. Lives as long as the
// process.
class Engine final : public runtime::Hooks {
 public:
  // The clock, the log and the bytes of `exports` outlive the engine.
  Engine(const Exports& exports, CodeMemory memory, const Clock& clock, const Logger& log,
         EngineOptions options);
  ~Engine() override;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  using Main = int (*)(int argc, char** argv, char** environment);
  // Loads the package and runs its static initialisers, whose exceptions it lets out. An image that
  // does not fit is left aside, with a warning in the log. `started` is when the program started.
  std::expected<Main, Error> Load(Clock::TimePoint started);

  // For lazy entries: makes the code of a function, and gives its place. Ends the process when that
  // fails: nobody could go on.
  std::uint64_t Compile(std::uint32_t function);
  // For functions that count: `counter` reached kHotCount.
  void Hot(std::int32_t* counter);

  // Ends the thread that optimises, when it is done with the function at hand.
  void Stop();

  Activity activity();

  std::string NameOf(std::uintptr_t address) override;
  void Ready() override;
  void Served(const Context& context) override;
  std::expected<void*, HandlerError> LoadModule(std::string_view path) override;
  void* FindInModule(void* module, std::string_view function) override;

 private:
  struct HotFunction {
    Unit* unit;
    std::uint32_t function;
  };

  std::expected<Unit*, Error> AddUnit(const std::filesystem::path& bitcode,
                                      const std::filesystem::path& image);
  std::expected<void, Error> CompileAhead(Unit& unit);
  UnitHost HostOfUnits();
  std::optional<std::uint64_t> Resolve(std::string_view name) const;
  Unit* UnitOf(std::uint32_t function);
  void OptimizeHotFunctions();
  void Optimize(const HotFunction& hot);
  void Report(const Context& context, const Activity& activity);

  const Exports& exports_;
  CodeMemory memory_;
  const Clock& clock_;
  Logger log_;
  EngineOptions options_;
  std::uint64_t hot_entry_ = 0;

  std::mutex units_mutex_;
  std::vector<std::unique_ptr<Unit>> units_;

  std::mutex activity_mutex_;
  Activity activity_;
  Activity reported_;

  std::mutex hot_mutex_;
  std::deque<HotFunction> hot_;
  bool optimizing_ = false;
  bool stopping_ = false;
  std::thread optimizer_;
};

}  // namespace kelvin::engine
