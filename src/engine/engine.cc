#include "engine/engine.h"

#include <limits>

#include <fmt/format.h>
#include <unistd.h>

#include "base/file.h"
#include "base/time_format.h"
#include "engine/entry_code.h"
#include "engine/fatal.h"
#include "engine/frame_name.h"
#include "engine/gdb.h"
#include "engine/specials.h"

extern "C" {

std::uint64_t kelvin_engine_compile(kelvin::engine::Engine* engine, std::uint64_t function) {
  return engine->Compile(static_cast<std::uint32_t>(function));
}

// What functions call as kHotFunction, with the engine bound to it.
static void HotEntry(std::int32_t* counter, kelvin::engine::Engine* engine) {
  engine->Hot(counter);
}

}  // extern "C"

namespace kelvin::engine {
namespace {

// Static objects of the function hand this on when they register their destructors.
int dso_handle = 0;

}  // namespace

Engine::Engine(const Exports& exports, CodeMemory memory, const Clock& clock, const Logger& log,
               EngineOptions options)
    : exports_(exports),
      memory_(std::move(memory)),
      clock_(clock),
      log_(log),
      options_(std::move(options)) {}

Engine::~Engine() {
  Stop();
}

std::expected<Engine::Main, Error> Engine::Load(Clock::TimePoint started) {
  const auto hot = BindEngine(memory_, *this, reinterpret_cast<std::uint64_t>(&HotEntry), 1);
  if (!hot) return std::unexpected(hot.error());
  hot_entry_ = *hot;
  const auto unit = AddUnit(options_.package / "function.bc", options_.package / "function.image");
  if (!unit) return std::unexpected(unit.error());
  const auto main = (*unit)->StubOf("main");
  if (!main) return std::unexpected(main.error());
  if (*main == 0) {
    return std::unexpected(
        Error{ErrorCode::kInvalidArgument,
              "expected a function main in function.bc, found none: build the package with "
              "kelvin_add_function"});
  }
  activity_.has_image = (*unit)->has_image();
  if (options_.compile_ahead && !activity_.has_image) {
    if (auto done = CompileAhead(**unit); !done) return std::unexpected(std::move(done.error()));
  }
  if (auto done = (*unit)->Initialize(); !done) return std::unexpected(std::move(done.error()));
  const std::lock_guard lock(activity_mutex_);
  activity_.load = clock_.Now() - started - activity_.quick;
  return reinterpret_cast<Main>(*main);
}

// In one go, and while the function has a whole CPU: in the init phase. One by one, at their first
// calls, takes twice the work, and most of it at the share of a CPU that an invocation has.
std::expected<void, Error> Engine::CompileAhead(Unit& unit) {
  const Clock::TimePoint start = clock_.Now();
  const auto count = unit.CompileAhead();
  if (!count) return std::unexpected(count.error());
  const std::lock_guard lock(activity_mutex_);
  activity_.ahead_functions = *count;
  activity_.ahead = clock_.Now() - start;
  activity_.quick_functions += *count;
  activity_.quick += activity_.ahead;
  return {};
}

UnitHost Engine::HostOfUnits() {
  ObjectObserver observer;
  if (options_.tell_debugger) observer = TellDebugger;
  return {.engine = *this,
          .memory = memory_,
          .resolve = [this](std::string_view name) { return Resolve(name); },
          .observer = std::move(observer)};
}

std::expected<Unit*, Error> Engine::AddUnit(const std::filesystem::path& bitcode,
                                            const std::filesystem::path& image) {
  const std::lock_guard lock(units_mutex_);
  const std::uint32_t first = units_.empty() ? 0 : units_.back()->first() + units_.back()->count();
  std::unique_ptr<Unit> unit;
  if (!image.empty() && ::access(image.c_str(), F_OK) == 0) {
    auto loaded = Unit::LoadWithImage(bitcode, image, exports_.build_id(), first, HostOfUnits());
    if (loaded) {
      unit = std::move(*loaded);
    } else {
      log_.Warn(
          "{} is not used: {}; the function runs from its bitcode, build the package with "
          "this engine to have it start faster",
          image.filename().native(), loaded.error().message);
    }
  }
  if (unit == nullptr) {
    auto loaded = Unit::Load(bitcode, first, HostOfUnits());
    if (!loaded) return std::unexpected(std::move(loaded.error()));
    unit = std::move(*loaded);
  }
  units_.push_back(std::move(unit));
  return units_.back().get();
}

std::optional<std::uint64_t> Engine::Resolve(std::string_view name) const {
  if (name == kHotFunction) return hot_entry_;
  if (name == "__dso_handle") return reinterpret_cast<std::uint64_t>(&dso_handle);
  const auto symbol = exports_.Find(name);
  if (!symbol || symbol->kind == ExportKind::kThreadLocal) return std::nullopt;
  if (symbol->kind != ExportKind::kIndirect) return symbol->address;
  using Chooser = void* (*)();
  return reinterpret_cast<std::uint64_t>(reinterpret_cast<Chooser>(symbol->address)());
}

Unit* Engine::UnitOf(std::uint32_t function) {
  const std::lock_guard lock(units_mutex_);
  for (const auto& unit : units_) {
    if (function >= unit->first() && function - unit->first() < unit->count()) return unit.get();
  }
  return nullptr;
}

std::uint64_t Engine::Compile(std::uint32_t function) {
  const CompilingScope compiling;
  const Clock::TimePoint start = clock_.Now();
  Unit* const unit = UnitOf(function);
  const auto made = unit->CompileQuick(function - unit->first());
  if (!made) EndProcess("Runtime.CannotCompile", made.error().message);
  if (made->now) {
    const std::lock_guard lock(activity_mutex_);
    ++activity_.quick_functions;
    activity_.quick += clock_.Now() - start;
    if (unit->has_image()) ++activity_.image_misses;
  }
  return made->entry;
}

void Engine::Hot(std::int32_t* counter) {
  std::atomic_ref(*counter).store(std::numeric_limits<std::int32_t>::min(),
                                  std::memory_order_relaxed);
  HotFunction hot{};
  {
    const std::lock_guard lock(units_mutex_);
    for (const auto& unit : units_) {
      const auto function = unit->FunctionOfCounter(counter);
      if (function) hot = {unit.get(), *function};
    }
  }
  if (hot.unit == nullptr || !hot.unit->MarkHot(hot.function)) return;
  const std::lock_guard lock(hot_mutex_);
  if (stopping_) return;
  hot_.push_back(hot);
  if (optimizing_) return;
  // The one before has nothing left to do but to return.
  if (optimizer_.joinable()) optimizer_.join();
  optimizing_ = true;
  optimizer_ = std::thread([this] { OptimizeHotFunctions(); });
}

// Returns when there is nothing left, so that the process has one thread again: the kernel and the
// allocator are faster then.
void Engine::OptimizeHotFunctions() {
  std::unique_lock lock(hot_mutex_);
  while (!stopping_ && !hot_.empty()) {
    const HotFunction next = hot_.front();
    hot_.pop_front();
    lock.unlock();
    Optimize(next);
    lock.lock();
  }
  optimizing_ = false;
}

void Engine::Optimize(const HotFunction& hot) {
  const CompilingScope compiling;
  const Clock::TimePoint start = clock_.Now();
  const auto done = hot.unit->CompileOptimized(hot.function);
  if (!done) {
    log_.Warn("a function stays as it is: {}", done.error().message);
    return;
  }
  const std::lock_guard lock(activity_mutex_);
  ++activity_.optimized_functions;
  activity_.optimized += clock_.Now() - start;
}

void Engine::Stop() {
  {
    const std::lock_guard lock(hot_mutex_);
    stopping_ = true;
  }
  if (optimizer_.joinable()) optimizer_.join();
}

Activity Engine::activity() {
  std::uint32_t hits = 0;
  {
    const std::lock_guard lock(units_mutex_);
    for (const auto& unit : units_) hits += unit->CountImageHits();
  }
  const std::lock_guard lock(activity_mutex_);
  activity_.image_hits = hits;
  return activity_;
}

std::string Engine::NameOf(std::uintptr_t address) {
  const std::lock_guard lock(units_mutex_);
  for (const auto& unit : units_) {
    if (std::string name = unit->NameOf(address); !name.empty()) return ReadableFrame(name);
  }
  return {};
}

void Engine::Ready() {
  InitIsOver();
}

void Engine::Served(const Context& context) {
  if (!options_.report_activity) return;
  const Activity now = activity();
  if (now == reported_) return;
  reported_ = now;
  Report(context, now);
}

void Engine::Report(const Context& context, const Activity& activity) {
  std::string line;
  if (options_.log_format == LogFormat::kJson) {
    line = fmt::format(
        R"({{"timestamp":"{}","level":"INFO","type":"kelvin.engine","requestId":"{}","record":{}}})",
        FormatIso8601(clock_.WallNow()), context.request_id(), ToJson(activity));
  } else {
    line = "KELVIN_ENGINE " + ToJson(activity);
  }
  line += '\n';
  (void)WriteAll(STDERR_FILENO, line);
}

std::expected<void*, HandlerError> Engine::LoadModule(std::string_view path) {
  const auto unit = [&] {
    const CompilingScope compiling;
    return AddUnit(options_.package / path, {});
  }();
  if (!unit) {
    return std::unexpected(HandlerError{"Runtime.BadModule", unit.error().message});
  }
  if (auto done = (*unit)->Initialize(); !done) {
    return std::unexpected(HandlerError{"Runtime.BadModule", done.error().message});
  }
  return *unit;
}

void* Engine::FindInModule(void* module, std::string_view function) {
  const auto stub = static_cast<Unit*>(module)->StubOf(function);
  return stub ? reinterpret_cast<void*>(*stub) : nullptr;
}

}  // namespace kelvin::engine
