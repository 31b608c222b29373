#include "engine/ahead.h"

#include <llvm/ADT/PostOrderIterator.h>
#include <llvm/ADT/SmallPtrSet.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/Instructions.h>
#include <llvm/Support/Error.h>

#include "engine/bitcode.h"
#include "engine/extract.h"

namespace kelvin::engine {
namespace {

using Blocks = llvm::SmallPtrSet<const llvm::BasicBlock*, 32>;

// Blocks that every way out of ends in unreachable code: behind them the function throws or aborts.
Blocks DoomedBlocks(const llvm::Function& function) {
  Blocks doomed;
  for (const llvm::BasicBlock* block : llvm::post_order(&function)) {
    bool all = true;
    for (const llvm::BasicBlock* next : llvm::successors(block)) {
      all &= next->isEHPad() || doomed.contains(next);
    }
    const bool leaves = block->getTerminator()->getNumSuccessors() == 0 &&
                        !llvm::isa<llvm::UnreachableInst>(block->getTerminator());
    if (all && !leaves) doomed.insert(block);
  }
  return doomed;
}

llvm::SmallVector<llvm::BasicBlock*> LikelyBlocks(llvm::Function& function) {
  const Blocks doomed = DoomedBlocks(function);
  Blocks seen = {&function.getEntryBlock()};
  llvm::SmallVector<llvm::BasicBlock*> likely = {&function.getEntryBlock()};
  for (std::size_t i = 0; i < likely.size(); ++i) {
    for (llvm::BasicBlock* next : llvm::successors(likely[i])) {
      if (next->isEHPad() || doomed.contains(next) || !seen.insert(next).second) continue;
      likely.push_back(next);
    }
  }
  return likely;
}

// Finds, one after the other, what code and the constants that it uses refer to.
class Finder {
 public:
  void Add(llvm::Function& function) {
    if (function.isDeclaration() || function.hasFnAttribute(llvm::Attribute::Cold)) return;
    if (seen_.insert(&function).second) found_.push_back(&function);
  }
  void AddAllOf(llvm::Function& function) {
    for (llvm::BasicBlock* block : LikelyBlocks(function)) {
      for (llvm::Instruction& instruction : *block) {
        for (llvm::Use& use : instruction.operands()) {
          if (auto* const constant = llvm::dyn_cast<llvm::Constant>(use.get())) Follow(*constant);
        }
      }
    }
  }
  const std::vector<llvm::Function*>& found() const { return found_; }

 private:
  void Follow(llvm::Constant& first) {
    llvm::SmallVector<llvm::Constant*> left = {&first};
    while (!left.empty()) {
      llvm::Constant* const constant = left.pop_back_val();
      if (auto* const function = llvm::dyn_cast<llvm::Function>(constant)) {
        Add(*function);
        continue;
      }
      if (!seen_.insert(constant).second) continue;
      // A variable's one operand is its value: tables of virtual functions among them.
      for (llvm::Use& use : constant->operands()) {
        if (auto* const part = llvm::dyn_cast<llvm::Constant>(use.get())) left.push_back(part);
      }
    }
  }

  llvm::SmallPtrSet<const llvm::Constant*, 32> seen_;
  std::vector<llvm::Function*> found_;
};

}  // namespace

std::expected<std::vector<llvm::Function*>, Error> LikelyFunctions(
    const std::vector<llvm::Function*>& roots, std::size_t instructions) {
  Finder finder;
  for (llvm::Function* root : roots) finder.Add(*root);
  std::vector<llvm::Function*> likely;
  for (std::size_t i = 0; i < finder.found().size(); ++i) {
    llvm::Function& function = *finder.found()[i];
    if (auto error = function.materialize()) {
      return std::unexpected(
          FromLlvm(ErrorCode::kCorrupt, "read a function from the bitcode", std::move(error)));
    }
    const std::size_t size = function.getInstructionCount();
    if (size > instructions) continue;
    instructions -= size;
    likely.push_back(&function);
    finder.AddAllOf(function);
  }
  return likely;
}

void KeepOnly(llvm::Module& module, const std::vector<llvm::Function*>& functions) {
  const llvm::SmallPtrSet<llvm::Function*, 32> kept(functions.begin(), functions.end());
  for (llvm::Function& function : module) {
    if (function.isDeclaration() || kept.contains(&function)) continue;
    function.deleteBody();
  }
  if (auto* const list = module.getNamedGlobal("llvm.global_ctors")) list->eraseFromParent();
  for (llvm::Function* function : functions) {
    function->setLinkage(llvm::GlobalValue::ExternalLinkage);
    function->setComdat(nullptr);
    SeparateBody(*function);
  }
  // All of it will lie within reach of one another.
  for (llvm::Function& function : module) {
    if (!function.isIntrinsic()) function.setDSOLocal(true);
  }
  for (llvm::GlobalVariable& variable : module.globals()) {
    variable.setDSOLocal(true);
    if (IsVariable(variable)) {
      variable.setLinkage(llvm::GlobalValue::ExternalLinkage);
      variable.setComdat(nullptr);
    }
  }
}

}  // namespace kelvin::engine
