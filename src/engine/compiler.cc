#include "engine/compiler.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <unordered_map>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <llvm/Demangle/Demangle.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/Instructions.h>
#include <llvm/Target/TargetMachine.h>

#include "engine/ahead.h"
#include "engine/bitcode.h"
#include "engine/entry_code.h"
#include "engine/extract.h"
#include "engine/instrument.h"
#include "engine/llvm_start.h"
#include "engine/object_code.h"
#include "engine/unresolved.h"

namespace kelvin::engine {
namespace {

constexpr unsigned kInlineDepth = 4;
constexpr unsigned kInlineInstructions = 4000;

// What one thread compiles with.
struct Workshop {
  std::mutex mutex;
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module;
  std::vector<llvm::Function*> functions;
  std::unique_ptr<llvm::TargetMachine> machine;
};

std::expected<void, Error> Furnish(Workshop& shop, std::string_view name, std::string_view bitcode,
                                   Tier tier) {
  auto module = ReadBitcode(name, bitcode, shop.context);
  if (!module) return std::unexpected(std::move(module.error()));
  if (shop.machine == nullptr) {
    const bool quick = tier == Tier::kQuick;
    auto machine =
        MakeTargetMachine(quick ? BaselineCpu() : HostCpu(),
                          quick ? llvm::CodeGenOptLevel::None : llvm::CodeGenOptLevel::Aggressive);
    if (!machine) return std::unexpected(std::move(machine.error()));
    shop.machine = std::move(*machine);
  }
  shop.module = std::move(*module);
  shop.functions.clear();
  for (llvm::Function& function : *shop.module) {
    if (!function.isDeclaration()) shop.functions.push_back(&function);
  }
  return {};
}

llvm::Constant* AddressConstant(llvm::LLVMContext& context, const void* address) {
  return llvm::ConstantExpr::getIntToPtr(
      llvm::ConstantInt::get(llvm::Type::getInt64Ty(context),
                             reinterpret_cast<std::uint64_t>(address)),
      llvm::PointerType::getUnqual(context));
}

}  // namespace

class Compiler::Impl {
 public:
  Impl(std::string_view name, std::string_view bitcode, CodeMemory& memory, SymbolResolver resolve,
       ObjectObserver observer)
      : name_(name),
        bitcode_(bitcode),
        memory_(memory),
        resolve_(std::move(resolve)),
        observer_(std::move(observer)) {}

  std::expected<void, Error> Open() {
    if (auto ready = Furnish(quick_, name_, bitcode_, Tier::kQuick); !ready) return ready;
    for (const llvm::Function* function : quick_.functions) {
      index_[function->getName().str()] = static_cast<std::uint32_t>(names_.size());
      names_.push_back(function->getName().str());
    }
    initializers_ = InitializersOf(*quick_.module);
    for (const llvm::GlobalVariable& variable : quick_.module->globals()) {
      if (IsVariable(variable)) variables_.push_back(SymbolOf(variable));
    }
    const auto known = [this](std::string_view name) { return resolve_(name).has_value(); };
    return CheckResolved(*quick_.module, name_, known);
  }

  const std::vector<std::string>& functions() const { return names_; }
  const std::unordered_map<std::string, std::uint32_t>& index() const { return index_; }
  const std::vector<std::uint32_t>& initializers() const { return initializers_; }
  const std::vector<std::string>& variables() const { return variables_; }
  void Place(const FunctionPlaces& places) { places_ = places; }

  void PlaceVariables(std::span<const std::uint64_t> addresses) {
    const std::lock_guard lock(symbols_mutex_);
    const std::size_t count = std::min(addresses.size(), variables_.size());
    for (std::size_t i = 0; i < count; ++i) symbols_[variables_[i]] = addresses[i];
  }

  std::expected<std::vector<Ahead>, Error> CompileAhead(std::size_t instructions) {
    const std::lock_guard lock(quick_.mutex);
    std::vector<llvm::Function*> roots;
    for (const std::uint32_t number : initializers_) roots.push_back(quick_.functions[number]);
    if (const auto main = index_.find("main"); main != index_.end()) {
      roots.push_back(quick_.functions[main->second]);
    }
    const auto likely = LikelyFunctions(roots, instructions);
    if (!likely) return std::unexpected(likely.error());
    std::vector<Ahead> made;
    for (const llvm::Function* function : *likely) {
      made.push_back({.function = index_.at(function->getName().str()), .code = {}});
    }
    // The module is used up: who compiles more reads it again.
    const std::unique_ptr<llvm::Module> module = std::move(quick_.module);
    KeepOnly(*module, *likely);
    for (std::size_t i = 0; i < made.size(); ++i) {
      CountCallsAndLoops(*(*likely)[i],
                         *AddressConstant(quick_.context, &places_.counters[made[i].function]));
    }
    const auto linked = Link(*module, *quick_.machine, "the functions that are called first");
    if (!linked) return std::unexpected(linked.error());
    for (Ahead& ahead : made) ahead.code = CodeOf(*linked, BodyName(names_[ahead.function]));
    return made;
  }

  std::expected<CompiledCode, Error> CompileQuick(std::uint32_t number) {
    const std::lock_guard lock(quick_.mutex);
    if (auto ready = Ready(quick_, Tier::kQuick); !ready) return std::unexpected(ready.error());
    llvm::Function& function = *quick_.functions[number];
    const auto undefined = [this](const llvm::GlobalVariable& variable) {
      return !Find(SymbolOf(variable));
    };
    auto module = ExtractFunction(function, {.define = undefined});
    if (!module) return std::unexpected(std::move(module.error()));
    llvm::Function& body = *(*module)->getFunction(BodyName(function.getName()));
    CountCallsAndLoops(body, *AddressConstant(quick_.context, &places_.counters[number]));
    const auto linked = Link(**module, *quick_.machine, BodyName(function.getName()));
    if (!linked) return std::unexpected(linked.error());
    return CodeOf(*linked, BodyName(function.getName()));
  }

  std::expected<CompiledCode, Error> CompileOptimized(std::uint32_t number) {
    const std::lock_guard lock(optimized_.mutex);
    if (auto ready = Ready(optimized_, Tier::kOptimized); !ready) {
      return std::unexpected(std::move(ready.error()));
    }
    llvm::Function& function = *optimized_.functions[number];
    auto module = ExtractFunction(
        function, {.inline_depth = kInlineDepth, .inline_instructions = kInlineInstructions});
    if (!module) return std::unexpected(std::move(module.error()));
    SetCpu(**module, HostCpu());
    Optimize(**module, *optimized_.machine, llvm::OptimizationLevel::O3);
    if (auto defined = DefineVariablesOf(**module); !defined) {
      return std::unexpected(std::move(defined.error()));
    }
    const auto linked = Link(**module, *optimized_.machine, BodyName(function.getName()));
    if (!linked) return std::unexpected(linked.error());
    return CodeOf(*linked, BodyName(function.getName()));
  }

 private:
  std::expected<void, Error> Ready(Workshop& shop, Tier tier) {
    if (shop.module != nullptr) return {};
    return Furnish(shop, name_, bitcode_, tier);
  }

  // Numbers of the functions that initialise the module, in the order in which they run.
  std::vector<std::uint32_t> InitializersOf(const llvm::Module& module) const {
    const auto* const list = module.getNamedGlobal("llvm.global_ctors");
    if (list == nullptr || !list->hasInitializer()) return {};
    std::multimap<std::uint64_t, std::uint32_t> found;  // keeps the order of equal priorities
    for (const llvm::Use& entry : list->getInitializer()->operands()) {
      const auto* const fields = llvm::cast<llvm::ConstantStruct>(entry.get());
      const auto* const priority = llvm::cast<llvm::ConstantInt>(fields->getOperand(0));
      const auto function =
          index_.find(fields->getOperand(1)->stripPointerCasts()->getName().str());
      if (function != index_.end()) found.emplace(priority->getZExtValue(), function->second);
    }
    std::vector<std::uint32_t> numbers;
    for (const auto& [priority, function] : found) numbers.push_back(function);
    return numbers;
  }

  // A thread-local variable is reached by what emulated thread-local storage makes of it.
  static std::string SymbolOf(const llvm::GlobalVariable& variable) {
    return (variable.isThreadLocal() ? "__emutls_v." : "") + variable.getName().str();
  }

  std::optional<std::uint64_t> Find(const std::string& symbol) {
    const std::lock_guard lock(symbols_mutex_);
    const auto found = symbols_.find(symbol);
    if (found == symbols_.end()) return std::nullopt;
    return found->second;
  }

  std::optional<std::uint64_t> Resolve(std::string_view name) {
    const std::string symbol(name);
    if (const auto function = index_.find(symbol); function != index_.end()) {
      return places_.stubs + function->second * kStubBytes;
    }
    if (const auto address = Find(symbol)) return address;
    return resolve_(name);
  }

  // The optimised code may use variables that no quick code has used yet.
  std::expected<void, Error> DefineVariablesOf(const llvm::Module& module) {
    const std::lock_guard lock(quick_.mutex);
    const auto undefined = [this](const llvm::GlobalVariable& variable) {
      return !Find(SymbolOf(variable));
    };
    llvm::SmallVector<llvm::StringRef> names;
    for (const llvm::GlobalVariable& variable : module.globals()) {
      const bool own = std::ranges::find(variables_, SymbolOf(variable)) != variables_.end();
      if (own && undefined(variable)) names.push_back(variable.getName());
    }
    if (names.empty()) return {};
    if (auto ready = Ready(quick_, Tier::kQuick); !ready) return ready;
    llvm::SmallVector<llvm::GlobalVariable*> missing;
    for (const llvm::StringRef name : names) {
      missing.push_back(quick_.module->getNamedGlobal(name));
    }
    const auto variables = ExtractVariables(*quick_.module, missing, {.define = undefined});
    auto made = Link(*variables, *quick_.machine, "variables");
    if (!made) return std::unexpected(std::move(made.error()));
    return {};
  }

  std::expected<LinkedObject, Error> Link(llvm::Module& module, llvm::TargetMachine& machine,
                                          std::string_view what) {
    const auto object = EmitObject(module, machine);
    if (!object) return std::unexpected(object.error());
    const std::string_view bytes(object->data(), object->size());
    auto linked =
        LinkObject(bytes, memory_, [this](std::string_view name) { return Resolve(name); });
    if (!linked) {
      linked.error().message = fmt::format("cannot link {}: {}", what, linked.error().message);
      return linked;
    }
    if (observer_) observer_(bytes, *linked);
    const std::lock_guard lock(symbols_mutex_);
    for (const auto& [name, symbol] : linked->symbols) symbols_.emplace(name, symbol.address);
    return linked;
  }

  static CompiledCode CodeOf(const LinkedObject& linked, const std::string& body) {
    const auto found = linked.symbols.find(body);
    if (found == linked.symbols.end()) return {};
    const auto [address, size] = found->second;
    return {.entry = address, .start = address, .end = address + size};
  }

  std::string name_;
  std::string_view bitcode_;
  CodeMemory& memory_;
  SymbolResolver resolve_;
  ObjectObserver observer_;
  Workshop quick_;
  Workshop optimized_;
  std::vector<std::string> names_;
  std::vector<std::string> variables_;  // their symbols
  std::vector<std::uint32_t> initializers_;
  std::unordered_map<std::string, std::uint32_t> index_;
  FunctionPlaces places_;
  std::mutex symbols_mutex_;
  std::unordered_map<std::string, std::uint64_t> symbols_;  // variables, where they are
};

Compiler::Compiler(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Compiler::~Compiler() = default;

std::expected<std::unique_ptr<Compiler>, Error> Compiler::Open(std::string_view name,
                                                               std::string_view bitcode,
                                                               CodeMemory& memory,
                                                               SymbolResolver resolve,
                                                               ObjectObserver observer) {
  StartLlvm();
  auto impl =
      std::make_unique<Impl>(name, bitcode, memory, std::move(resolve), std::move(observer));
  if (auto opened = impl->Open(); !opened) return std::unexpected(std::move(opened.error()));
  return std::unique_ptr<Compiler>(new Compiler(std::move(impl)));
}

const std::vector<std::string>& Compiler::functions() const {
  return impl_->functions();
}

std::optional<std::uint32_t> Compiler::IndexOf(std::string_view function) const {
  const auto found = impl_->index().find(std::string(function));
  if (found == impl_->index().end()) return std::nullopt;
  return found->second;
}

const std::vector<std::uint32_t>& Compiler::initializers() const {
  return impl_->initializers();
}

std::size_t Compiler::variable_count() const {
  return impl_->variables().size();
}

void Compiler::Place(const FunctionPlaces& places) {
  impl_->Place(places);
}

void Compiler::PlaceVariables(std::span<const std::uint64_t> addresses) {
  impl_->PlaceVariables(addresses);
}

std::expected<std::vector<Compiler::Ahead>, Error> Compiler::CompileAhead(
    std::size_t instructions) {
  return impl_->CompileAhead(instructions);
}

std::expected<CompiledCode, Error> Compiler::Compile(std::uint32_t function, Tier tier) {
  return tier == Tier::kQuick ? impl_->CompileQuick(function) : impl_->CompileOptimized(function);
}

}  // namespace kelvin::engine
