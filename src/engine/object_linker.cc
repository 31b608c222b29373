#include "engine/object_linker.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <llvm/ExecutionEngine/JITLink/JITLink.h>

extern "C" void __register_frame(void* frames);

namespace kelvin::engine {
namespace {

namespace jitlink = llvm::jitlink;
namespace orc = llvm::orc;

class Placed final : public jitlink::JITLinkMemoryManager::InFlightAlloc {
 public:
  void abandon(OnAbandonedFunction done) override { done(llvm::Error::success()); }
  void finalize(OnFinalizedFunction done) override {
    // Compiled code stays, so there is nothing to find it again by.
    done(jitlink::JITLinkMemoryManager::FinalizedAlloc(orc::ExecutorAddr(1)));
  }
};

llvm::Error ToLlvm(const Error& error) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), error.message.c_str());
}

bool Allows(orc::MemProt protection, orc::MemProt what) {
  return (static_cast<unsigned>(protection) & static_cast<unsigned>(what)) != 0;
}

class Memory final : public jitlink::JITLinkMemoryManager {
 public:
  explicit Memory(CodeMemory& memory) : memory_(memory) {}

  void allocate(const jitlink::JITLinkDylib*, jitlink::LinkGraph& graph,
                OnAllocatedFunction done) override {
    jitlink::BasicLayout layout(graph);
    for (auto& [group, segment] : layout.segments()) {
      if (auto error = Place(group, segment)) return done(std::move(error));
    }
    if (auto error = layout.apply()) return done(std::move(error));
    done(std::make_unique<Placed>());
  }
  void deallocate(std::vector<FinalizedAlloc> allocations, OnDeallocatedFunction done) override {
    for (FinalizedAlloc& allocation : allocations) allocation.release();
    done(llvm::Error::success());
  }

 private:
  llvm::Error Place(const orc::AllocGroup& group, jitlink::BasicLayout::Segment& segment) {
    const std::size_t size = segment.ContentSize + segment.ZeroFillSize;
    const std::size_t alignment = segment.Alignment.value();
    if (Allows(group.getMemProt(), orc::MemProt::Write)) {
      const auto data = memory_.AllocateData(size, alignment);
      if (!data) return ToLlvm(data.error());
      segment.Addr = orc::ExecutorAddr::fromPtr(*data);
      segment.WorkingMem = *data;
    } else {
      const auto code = memory_.AllocateCode(size, alignment);
      if (!code) return ToLlvm(code.error());
      segment.Addr = orc::ExecutorAddr(code->run);
      segment.WorkingMem = code->write;
    }
    return llvm::Error::success();
  }

  CodeMemory& memory_;
};

struct Outcome {
  LinkedObject linked;
  std::uint64_t frames = 0;
  std::vector<std::string> missing;
  std::optional<Error> error;
};

class Context final : public jitlink::JITLinkContext {
 public:
  Context(Memory& memory, const SymbolResolver& resolve, Outcome& outcome)
      : JITLinkContext(nullptr), memory_(memory), resolve_(resolve), outcome_(outcome) {}

  jitlink::JITLinkMemoryManager& getMemoryManager() override { return memory_; }

  void notifyFailed(llvm::Error error) override {
    outcome_.error = Error{ErrorCode::kInternal, llvm::toString(std::move(error))};
  }

  void lookup(const LookupMap& symbols,
              std::unique_ptr<jitlink::JITLinkAsyncLookupContinuation> next) override {
    jitlink::AsyncLookupResult found;
    for (const auto& [name, flags] : symbols) {
      const auto address = resolve_(std::string_view(name.data(), name.size()));
      if (!address && flags == jitlink::SymbolLookupFlags::RequiredSymbol) {
        outcome_.missing.push_back(name.str());
      }
      found[name] = {orc::ExecutorAddr(address.value_or(0)), llvm::JITSymbolFlags::Exported};
    }
    if (!outcome_.missing.empty()) {
      return next->run(llvm::createStringError("missing symbols"));
    }
    next->run(std::move(found));
  }

  llvm::Error notifyResolved(jitlink::LinkGraph& graph) override {
    for (const jitlink::Symbol* symbol : graph.defined_symbols()) {
      if (!symbol->hasName() || symbol->getScope() == jitlink::Scope::Local) continue;
      outcome_.linked.symbols[symbol->getName().str()] = {symbol->getAddress().getValue(),
                                                          symbol->getSize()};
    }
    for (jitlink::Section& section : graph.sections()) Note(section);
    return llvm::Error::success();
  }

  void notifyFinalized(jitlink::JITLinkMemoryManager::FinalizedAlloc allocation) override {
    allocation.release();
  }

  jitlink::LinkGraphPassFunction getMarkLivePass(const llvm::Triple&) const override {
    return jitlink::markAllSymbolsLive;
  }

 private:
  void Note(const jitlink::Section& section) {
    const jitlink::SectionRange range(section);
    if (range.empty()) return;
    if (section.getName() == ".eh_frame") outcome_.frames = range.getStart().getValue();
    if (!Allows(section.getMemProt(), orc::MemProt::Exec)) return;
    LinkedObject& linked = outcome_.linked;
    const std::uint64_t start = range.getStart().getValue();
    linked.code = linked.code == 0 ? start : std::min(linked.code, start);
    linked.code_end = std::max(linked.code_end, range.getEnd().getValue());
  }

  Memory& memory_;
  const SymbolResolver& resolve_;
  Outcome& outcome_;
};

}  // namespace

std::expected<LinkedObject, Error> LinkObject(std::string_view object, CodeMemory& memory,
                                              const SymbolResolver& resolve) {
  auto graph = jitlink::createLinkGraphFromObject(
      llvm::MemoryBufferRef(llvm::StringRef(object.data(), object.size()), "compiled code"));
  if (!graph) {
    return std::unexpected(Error{ErrorCode::kInternal, llvm::toString(graph.takeError())});
  }
  Memory placing(memory);
  Outcome outcome;
  jitlink::link(std::move(*graph), std::make_unique<Context>(placing, resolve, outcome));
  if (!outcome.missing.empty()) {
    return std::unexpected(
        Error{ErrorCode::kNotFound, fmt::format("{}", fmt::join(outcome.missing, ", "))});
  }
  if (outcome.error) return std::unexpected(std::move(*outcome.error));
  if (outcome.frames != 0) __register_frame(reinterpret_cast<void*>(outcome.frames));
  return std::move(outcome.linked);
}

}  // namespace kelvin::engine
