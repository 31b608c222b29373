#include "engine/unit.h"

#include <fmt/format.h>

#include "engine/entry_code.h"

namespace kelvin::engine {
namespace {

using Initializer = void (*)();

// What is compiled before anybody calls it, in instructions of bitcode: some 150 ms of work.
constexpr std::size_t kAheadInstructions = 20'000;

void Switch(std::uint64_t& slot, std::uint64_t code) {
  std::atomic_ref(slot).store(code, std::memory_order_release);
}

}  // namespace

std::expected<std::unique_ptr<Unit>, Error> Unit::Load(const std::filesystem::path& bitcode,
                                                       std::uint32_t first, UnitHost host) {
  auto file = MappedFile::Open(bitcode);
  if (!file) return std::unexpected(std::move(file.error()));
  std::unique_ptr<Unit> unit(
      new Unit(bitcode.filename().native(), std::move(*file), first, std::move(host)));
  if (const auto compiler = unit->OpenCompiler(); !compiler) {
    return std::unexpected(compiler.error());
  }
  if (auto made = unit->MakeSlots(); !made) return std::unexpected(std::move(made.error()));
  return unit;
}

std::expected<std::unique_ptr<Unit>, Error> Unit::LoadWithImage(
    const std::filesystem::path& bitcode, const std::filesystem::path& image, const BuildId& engine,
    std::uint32_t first, UnitHost host) {
  auto file = MappedFile::Open(bitcode);
  if (!file) return std::unexpected(std::move(file.error()));
  std::unique_ptr<Unit> unit(
      new Unit(bitcode.filename().native(), std::move(*file), first, std::move(host)));
  auto loaded = Image::Load(image, engine, unit->bitcode_.bytes(), unit->host_.resolve);
  if (!loaded) return std::unexpected(std::move(loaded.error()));
  unit->image_ = std::move(*loaded);
  if (auto made = unit->MakeSlots(); !made) return std::unexpected(std::move(made.error()));
  return unit;
}

std::expected<void, Error> Unit::MakeSlots() {
  if (image_) {
    slots_ = image_->slots();
    counters_ = image_->counters();
    stubs_ = image_->stubs();
  } else {
    const std::size_t count = compiler_->functions().size();
    const auto slots = host_.memory.AllocateData(count * sizeof(std::uint64_t), 8);
    if (!slots) return std::unexpected(slots.error());
    const auto counters = host_.memory.AllocateData(count * sizeof(std::int32_t), 8);
    if (!counters) return std::unexpected(counters.error());
    slots_ = {reinterpret_cast<std::uint64_t*>(*slots), count};
    counters_ = {reinterpret_cast<std::int32_t*>(*counters), count};
    const auto stubs = MakeStubs(host_.memory, slots_);
    if (!stubs) return std::unexpected(stubs.error());
    stubs_ = *stubs;
    compiler_->Place({.stubs = stubs_, .counters = counters_});
  }
  hot_ = std::make_unique<std::atomic<bool>[]>(slots_.size());
  has_code_.resize(slots_.size());
  bool complete = true;
  for (std::uint32_t i = 0; i < count(); ++i) {
    has_code_[i] = image_ && image_->HasCode(i);
    complete &= has_code_[i];
  }
  if (complete) return {};
  const auto entries = MakeLazyEntries(host_.memory, host_.engine, first_, count());
  if (!entries) return std::unexpected(entries.error());
  for (std::uint32_t i = 0; i < count(); ++i) {
    if (!has_code_[i]) slots_[i] = *entries + i * kLazyEntryBytes;
  }
  return {};
}

std::expected<Compiler*, Error> Unit::OpenCompiler() {
  const std::lock_guard lock(compiler_mutex_);
  if (compiler_ != nullptr) return compiler_.get();
  auto compiler =
      Compiler::Open(name_, bitcode_.bytes(), host_.memory, host_.resolve, host_.observer);
  if (!compiler) return std::unexpected(std::move(compiler.error()));
  if (image_) {
    if ((*compiler)->functions().size() != slots_.size()) {
      return std::unexpected(Error{
          ErrorCode::kCorrupt,
          fmt::format("expected {} functions in {}, as in its image, found {}: build the package "
                      "again",
                      slots_.size(), name_, (*compiler)->functions().size())});
    }
    (*compiler)->Place({.stubs = stubs_, .counters = counters_});
    (*compiler)->PlaceVariables(image_->VariableAddresses());
  }
  compiler_ = std::move(*compiler);
  return compiler_.get();
}

std::expected<std::uint64_t, Error> Unit::StubOf(std::string_view function) {
  if (image_ && function == "main" && image_->main() != 0) return image_->main();
  const auto compiler = OpenCompiler();
  if (!compiler) return std::unexpected(compiler.error());
  const auto number = (*compiler)->IndexOf(function);
  return number ? stubs_ + *number * kStubBytes : 0;
}

std::expected<void, Error> Unit::Initialize() {
  if (image_) {
    for (const Initializer run : image_->initializers()) run();
    return {};
  }
  for (const std::uint32_t number : compiler_->initializers()) {
    reinterpret_cast<Initializer>(stubs_ + number * kStubBytes)();
  }
  return {};
}

std::expected<Unit::Made, Error> Unit::CompileQuick(std::uint32_t function) {
  const std::lock_guard lock(quick_mutex_);
  // Another thread may have been faster.
  if (has_code_[function]) {
    return Made{std::atomic_ref(slots_[function]).load(std::memory_order_acquire), false};
  }
  const auto compiler = OpenCompiler();
  if (!compiler) return std::unexpected(compiler.error());
  const auto code = (*compiler)->Compile(function, Tier::kQuick);
  if (!code) return std::unexpected(code.error());
  Note(function, *code);
  has_code_[function] = true;
  Switch(slots_[function], code->entry);
  return Made{code->entry, true};
}

std::expected<std::uint32_t, Error> Unit::CompileAhead() {
  const std::lock_guard lock(quick_mutex_);
  const auto compiler = OpenCompiler();
  if (!compiler) return std::unexpected(compiler.error());
  const auto made = (*compiler)->CompileAhead(kAheadInstructions);
  if (!made) return std::unexpected(made.error());
  for (const Compiler::Ahead& ahead : *made) {
    Note(ahead.function, ahead.code);
    has_code_[ahead.function] = true;
    Switch(slots_[ahead.function], ahead.code.entry);
  }
  return static_cast<std::uint32_t>(made->size());
}

std::expected<void, Error> Unit::CompileOptimized(std::uint32_t function) {
  const auto compiler = OpenCompiler();
  if (!compiler) return std::unexpected(compiler.error());
  const auto code = (*compiler)->Compile(function, Tier::kOptimized);
  if (!code) return std::unexpected(code.error());
  Note(function, *code);
  Switch(slots_[function], code->entry);
  return {};
}

std::optional<std::uint32_t> Unit::FunctionOfCounter(const std::int32_t* counter) const {
  if (counter < counters_.data() || counter >= counters_.data() + counters_.size()) {
    return std::nullopt;
  }
  return static_cast<std::uint32_t>(counter - counters_.data());
}

bool Unit::MarkHot(std::uint32_t function) {
  return !hot_[function].exchange(true, std::memory_order_relaxed);
}

std::uint32_t Unit::CountImageHits() const {
  if (!image_) return 0;
  std::uint32_t hits = 0;
  for (std::uint32_t i = 0; i < count(); ++i) {
    const bool ran = std::atomic_ref(counters_[i]).load(std::memory_order_relaxed) != 0;
    hits += ran && image_->HasCode(i) ? 1 : 0;
  }
  return hits;
}

void Unit::Note(std::uint32_t function, const CompiledCode& code) {
  const std::lock_guard lock(pieces_mutex_);
  pieces_.push_back({code.start, code.end, function});
}

std::string Unit::NameOf(std::uint64_t address) {
  if (image_ && image_->Holds(address)) return image_->NameOf(address);
  const std::lock_guard lock(pieces_mutex_);
  for (const Piece& piece : pieces_) {
    if (address < piece.start || address >= piece.end) continue;
    return fmt::format("{}+{:#x}", compiler_->functions()[piece.function], address - piece.start);
  }
  return {};
}

}  // namespace kelvin::engine
