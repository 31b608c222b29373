#include "engine/prepare.h"

#include <algorithm>

#include <fmt/format.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/DebugInfo.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Verifier.h>
#include <llvm/IRReader/IRReader.h>
#include <llvm/Linker/Linker.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/SourceMgr.h>
#include <llvm/Transforms/IPO/ElimAvailExtern.h>
#include <llvm/Transforms/IPO/GlobalDCE.h>
#include <llvm/Transforms/IPO/Internalize.h>
#include <llvm/Transforms/Utils/ModuleUtils.h>

#include "engine/bitcode.h"
#include "engine/specials.h"
#include "engine/unresolved.h"

namespace kelvin::engine {
namespace {

using Outcome = std::expected<void, Error>;

std::unexpected<Error> Refuse(std::string message) {
  return std::unexpected(Error{ErrorCode::kInvalidArgument, std::move(message)});
}

std::expected<std::unique_ptr<llvm::Module>, Error> LinkObjects(
    const std::vector<std::string>& objects, llvm::LLVMContext& context, const std::string& name) {
  auto result = std::make_unique<llvm::Module>(name, context);
  llvm::Linker linker(*result);
  for (const std::string& path : objects) {
    llvm::SMDiagnostic why;
    auto object = llvm::parseIRFile(path, why, context);
    if (object == nullptr) {
      return Refuse(fmt::format("cannot read {}: {}", path, why.getMessage().str()));
    }
    if (!object->getModuleInlineAsm().empty()) {
      return Refuse(fmt::format(
          "{} has assembly outside of functions, which the engine cannot run: use mode aot", path));
    }
    if (linker.linkInModule(std::move(object))) {
      return Refuse(fmt::format("cannot link {}: it defines what another object defines", path));
    }
  }
  return result;
}

void ReplaceAliases(llvm::Module& module) {
  for (llvm::GlobalAlias& alias : llvm::make_early_inc_range(module.aliases())) {
    alias.replaceAllUsesWith(alias.getAliasee());
    alias.eraseFromParent();
  }
}

// One copy of an inline function or variable for the whole process: the engine's.
template <typename Range>
void UseTheEnginesCopies(Range&& values, const Exports& exports) {
  for (auto& value : values) {
    if (value.isDeclaration() || !value.isDiscardableIfUnused() || value.hasLocalLinkage()) {
      continue;
    }
    const auto known = exports.Find({value.getName().data(), value.getName().size()});
    if (!known || known->kind == ExportKind::kThreadLocal) continue;
    value.setComdat(nullptr);
    value.setLinkage(llvm::GlobalValue::AvailableExternallyLinkage);
  }
}

Outcome CheckShape(const llvm::Module& module, const std::string& name) {
  if (!module.ifunc_empty()) {
    return Refuse(fmt::format(
        "{} has functions in several forms for several CPUs (ifunc, target_clones), which the "
        "engine cannot run: it compiles for the CPU at hand anyway",
        name));
  }
  const auto* const destructors = module.getNamedGlobal("llvm.global_dtors");
  if (destructors != nullptr && destructors->hasInitializer()) {
    return Refuse(fmt::format(
        "{} has functions with attribute destructor, which the engine does not run: use a static "
        "object or kelvin::OnShutdown",
        name));
  }
  for (const llvm::GlobalVariable& variable : module.globals()) {
    if (variable.isDeclaration() && variable.isThreadLocal()) {
      return Refuse(fmt::format(
          "{} uses the thread-local variable {} of the engine, which bitcode cannot reach: use "
          "mode aot, or do without std::call_once",
          name, variable.getName().str()));
    }
  }
  for (const llvm::Function& function : module) {
    for (const llvm::BasicBlock& block : function) {
      if (block.hasAddressTaken()) {
        return Refuse(fmt::format(
            "{} takes the address of a label in {}, which the engine cannot run: use a switch",
            name, function.getName().str()));
      }
    }
  }
  return {};
}

// libstdc++'s std::call_once passes its callable in thread-local variables of the library.
void ReachThreadLocals(llvm::Module& module, const Exports& exports) {
  llvm::Type* const pointer = llvm::PointerType::getUnqual(module.getContext());
  for (llvm::GlobalVariable& variable : llvm::make_early_inc_range(module.globals())) {
    if (!variable.isDeclaration() || !variable.isThreadLocal()) continue;
    const std::string accessor = ThreadLocalAccessor(variable.getName().str());
    if (!exports.Find(accessor)) continue;
    const llvm::FunctionCallee callee =
        module.getOrInsertFunction(accessor, llvm::FunctionType::get(pointer, false));
    for (llvm::User* user : llvm::make_early_inc_range(variable.users())) {
      auto* const call = llvm::dyn_cast<llvm::IntrinsicInst>(user);
      if (call == nullptr || call->getIntrinsicID() != llvm::Intrinsic::threadlocal_address) {
        continue;
      }
      llvm::IRBuilder<> builder(call);
      call->replaceAllUsesWith(builder.CreateCall(callee));
      call->eraseFromParent();
    }
    if (variable.use_empty()) variable.eraseFromParent();
  }
}

// What most functions are compiled for is what all of them will be compiled for; a function with
// other features asked for them.
void ForgetCpu(llvm::Module& module) {
  llvm::StringRef common;
  for (const llvm::Function& function : module) {
    if (function.getName() == "main") {
      common = function.getFnAttribute("target-features").getValueAsString();
    }
  }
  for (llvm::Function& function : module) {
    function.removeFnAttr("target-cpu");
    function.removeFnAttr("tune-cpu");
    if (common.empty() || function.getFnAttribute("target-features").getValueAsString() == common) {
      function.removeFnAttr("target-features");
    }
  }
}

void Simplify(llvm::Module& module, const PrepareOptions& options) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  llvm::ModulePassManager passes;
  passes.addPass(llvm::InternalizePass([&](const llvm::GlobalValue& value) {
    return std::ranges::find(options.entry_points, value.getName().str()) !=
           options.entry_points.end();
  }));
  passes.addPass(llvm::GlobalDCEPass());
  passes.addPass(builder.buildThinLTOPreLinkDefaultPipeline(llvm::OptimizationLevel::Oz));
  passes.addPass(llvm::EliminateAvailableExternallyPass());
  passes.addPass(llvm::GlobalDCEPass());
  passes.run(module, modules);
}

template <typename Range>
void NameAll(Range&& values, const Exports& exports, unsigned& unnamed) {
  for (llvm::GlobalValue& value : values) {
    // The image reaches what is the engine's by way of its table of addresses.
    if (value.isDeclaration()) value.setVisibility(llvm::GlobalValue::DefaultVisibility);
    value.setDSOLocal(!value.isDeclaration());
    if (value.isDeclaration() || value.getName().starts_with("llvm.")) continue;
    if (!value.hasName() || value.hasPrivateLinkage()) {
      value.setName(fmt::format("kelvin.{}", unnamed++));
    } else if (value.hasLocalLinkage() &&
               exports.Find({value.getName().data(), value.getName().size()})) {
      value.setName(value.getName() + ".local");
    }
    if (auto* const object = llvm::dyn_cast<llvm::GlobalObject>(&value)) object->setComdat(nullptr);
    value.setLinkage(llvm::GlobalValue::ExternalLinkage);
    value.setVisibility(llvm::GlobalValue::DefaultVisibility);
  }
}

void DropLists(llvm::Module& module) {
  for (const char* name : {"llvm.used", "llvm.compiler.used"}) {
    if (auto* const list = module.getNamedGlobal(name)) list->eraseFromParent();
  }
  if (auto* const idents = module.getNamedMetadata("llvm.ident")) idents->eraseFromParent();
}

Outcome CheckEntryPoints(const llvm::Module& module, const PrepareOptions& options) {
  for (const std::string& entry : options.entry_points) {
    const llvm::Function* const function = module.getFunction(entry);
    if (function == nullptr || function->isDeclaration()) {
      return Refuse(fmt::format("expected the sources of {} to define {}, found no such function",
                                options.name, entry));
    }
  }
  return {};
}

}  // namespace

std::expected<std::unique_ptr<llvm::Module>, Error> PrepareBitcode(
    const std::vector<std::string>& objects, const Exports& exports, llvm::LLVMContext& context,
    const PrepareOptions& options) {
  auto linked = LinkObjects(objects, context, options.name);
  if (!linked) return linked;
  llvm::Module& module = **linked;
  if (auto checked = CheckEntryPoints(module, options); !checked) {
    return std::unexpected(std::move(checked.error()));
  }
  llvm::StripDebugInfo(module);
  ReplaceAliases(module);
  DropLists(module);
  UseTheEnginesCopies(module.functions(), exports);
  UseTheEnginesCopies(module.globals(), exports);
  Simplify(module, options);
  ReachThreadLocals(module, exports);
  if (auto checked = CheckShape(module, options.name); !checked) {
    return std::unexpected(std::move(checked.error()));
  }
  ForgetCpu(module);
  unsigned unnamed = 0;
  NameAll(module.functions(), exports, unnamed);
  NameAll(module.globals(), exports, unnamed);
  const auto known = [&](std::string_view name) {
    return exports.Find(name).has_value() || IsSpecial(name);
  };
  if (auto resolved = CheckResolved(module, options.name, known); !resolved) {
    return std::unexpected(std::move(resolved.error()));
  }
  std::string broken;
  llvm::raw_string_ostream stream(broken);
  if (llvm::verifyModule(module, &stream)) {
    return std::unexpected(Error{ErrorCode::kInternal, "LLVM made broken bitcode: " + broken});
  }
  return linked;
}

}  // namespace kelvin::engine
