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
  const bool quick = tier == Tier::kQuick;
  auto machine =
      MakeTargetMachine(quick ? BaselineCpu() : HostCpu(),
                        quick ? llvm::CodeGenOptLevel::None : llvm::CodeGenOptLevel::Aggressive);
  if (!machine) return std::unexpected(std::move(machine.error()));
  shop.module = std::move(*module);
  shop.machine = std::move(*machine);
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
    const auto known = [this](std::string_view name) { return resolve_(name).has_value(); };
    return CheckResolved(*quick_.module, name_, known);
  }

  const std::vector<std::string>& functions() const { return names_; }
  const std::unordered_map<std::string, std::uint32_t>& index() const { return index_; }
  llvm::Module& module() { return *quick_.module; }
  void Place(const FunctionPlaces& places) { places_ = places; }

  void PlaceVariables(std::span<const std::uint64_t> addresses) {
    const std::lock_guard lock(symbols_mutex_);
    std::size_t i = 0;
    for (const llvm::GlobalVariable& variable : quick_.module->globals()) {
      if (!IsVariable(variable) || i == addresses.size()) continue;
      symbols_[SymbolOf(variable)] = addresses[i++];
    }
  }

  std::expected<CompiledCode, Error> CompileQuick(std::uint32_t number) {
    const std::lock_guard lock(quick_.mutex);
    llvm::Function& function = *quick_.functions[number];
    const auto undefined = [this](const llvm::GlobalVariable& variable) {
      return !Find(SymbolOf(variable));
    };
    auto module = ExtractFunction(function, {.define = undefined});
    if (!module) return std::unexpected(std::move(module.error()));
    llvm::Function& body = *(*module)->getFunction(BodyName(function.getName()));
    CountCallsAndLoops(body, *AddressConstant(quick_.context, &places_.counters[number]));
    return Finish(**module, *quick_.machine, BodyName(function.getName()));
  }

  std::expected<CompiledCode, Error> CompileOptimized(std::uint32_t number) {
    const std::lock_guard lock(optimized_.mutex);
    if (optimized_.module == nullptr) {
      if (auto ready = Furnish(optimized_, name_, bitcode_, Tier::kOptimized); !ready) {
        return std::unexpected(std::move(ready.error()));
      }
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
    return Finish(**module, *optimized_.machine, BodyName(function.getName()));
  }

 private:
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
    llvm::SmallVector<llvm::GlobalVariable*> missing;
    for (const llvm::GlobalVariable& variable : module.globals()) {
      auto* const original = quick_.module->getNamedGlobal(variable.getName());
      if (original == nullptr || !original->hasInitializer() || !undefined(*original)) continue;
      missing.push_back(original);
    }
    if (missing.empty()) return {};
    const auto variables = ExtractVariables(*quick_.module, missing, {.define = undefined});
    auto made = Finish(*variables, *quick_.machine, {});
    if (!made) return std::unexpected(std::move(made.error()));
    return {};
  }

  std::expected<CompiledCode, Error> Finish(llvm::Module& module, llvm::TargetMachine& machine,
                                            const std::string& body) {
    const auto object = EmitObject(module, machine);
    if (!object) return std::unexpected(object.error());
    const std::string_view bytes(object->data(), object->size());
    auto linked =
        LinkObject(bytes, memory_, [this](std::string_view name) { return Resolve(name); });
    if (!linked) {
      linked.error().message = fmt::format("cannot link {}: {}", body, linked.error().message);
      return std::unexpected(std::move(linked.error()));
    }
    if (observer_) observer_(bytes, *linked);
    const CompiledCode code{body.empty() ? 0 : linked->symbols[body], linked->code,
                            linked->code_end};
    const std::lock_guard lock(symbols_mutex_);
    for (const auto& [name, address] : linked->symbols) symbols_.emplace(name, address);
    return code;
  }

  std::string name_;
  std::string_view bitcode_;
  CodeMemory& memory_;
  SymbolResolver resolve_;
  ObjectObserver observer_;
  Workshop quick_;
  Workshop optimized_;
  std::vector<std::string> names_;
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

std::vector<std::uint32_t> Compiler::initializers() const {
  const auto* const list = impl_->module().getNamedGlobal("llvm.global_ctors");
  if (list == nullptr || !list->hasInitializer()) return {};
  std::multimap<std::uint64_t, std::uint32_t> found;  // keeps the order of equal priorities
  for (const llvm::Use& entry : list->getInitializer()->operands()) {
    const auto* const fields = llvm::cast<llvm::ConstantStruct>(entry.get());
    const auto* const priority = llvm::cast<llvm::ConstantInt>(fields->getOperand(0));
    const auto function = IndexOf(fields->getOperand(1)->stripPointerCasts()->getName().str());
    if (function) found.emplace(priority->getZExtValue(), *function);
  }
  std::vector<std::uint32_t> numbers;
  for (const auto& [priority, function] : found) numbers.push_back(function);
  return numbers;
}

std::size_t Compiler::variable_count() const {
  return static_cast<std::size_t>(std::ranges::count_if(impl_->module().globals(), IsVariable));
}

void Compiler::Place(const FunctionPlaces& places) {
  impl_->Place(places);
}

void Compiler::PlaceVariables(std::span<const std::uint64_t> addresses) {
  impl_->PlaceVariables(addresses);
}

std::expected<CompiledCode, Error> Compiler::Compile(std::uint32_t function, Tier tier) {
  return tier == Tier::kQuick ? impl_->CompileQuick(function) : impl_->CompileOptimized(function);
}

}  // namespace kelvin::engine
