#include "engine/instrument.h"

#include <llvm/Analysis/LoopInfo.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/MDBuilder.h>
#include <llvm/IR/Module.h>
#include <llvm/Transforms/Utils/BasicBlockUtils.h>

#include "engine/specials.h"

namespace kelvin::engine {
namespace {

void CountBefore(llvm::Instruction& place, llvm::Value& counter, std::int32_t weight,
                 llvm::FunctionCallee hot) {
  llvm::IRBuilder<> builder(&place);
  llvm::Type* const i32 = builder.getInt32Ty();
  llvm::Value* const count =
      builder.CreateAdd(builder.CreateLoad(i32, &counter), builder.getInt32(weight));
  builder.CreateStore(count, &counter);
  llvm::Value* const is_hot = builder.CreateICmpSGE(count, builder.getInt32(kHotCount));
  llvm::Instruction* const then = llvm::SplitBlockAndInsertIfThen(
      is_hot, &place, /*Unreachable=*/false,
      llvm::MDBuilder(builder.getContext()).createUnlikelyBranchWeights());
  builder.SetInsertPoint(then);
  builder.CreateCall(hot, {&counter})->setDoesNotThrow();
}

void CollectLatches(const llvm::Loop& loop, llvm::SmallVectorImpl<llvm::BasicBlock*>& latches) {
  loop.getLoopLatches(latches);
  for (const llvm::Loop* inner : loop) CollectLatches(*inner, latches);
}

}  // namespace

void CountCallsAndLoops(llvm::Function& function, llvm::Value& counter) {
  llvm::Module& module = *function.getParent();
  llvm::LLVMContext& context = module.getContext();
  const llvm::FunctionCallee hot = module.getOrInsertFunction(
      kHotFunction, llvm::Type::getVoidTy(context), llvm::PointerType::getUnqual(context));
  llvm::SmallVector<llvm::BasicBlock*> latches;
  {
    const llvm::DominatorTree dominators(function);
    const llvm::LoopInfo loops(dominators);
    for (const llvm::Loop* loop : loops) CollectLatches(*loop, latches);
  }
  for (llvm::BasicBlock* latch : latches) CountBefore(*latch->getTerminator(), counter, 1, hot);
  llvm::BasicBlock& entry = function.getEntryBlock();
  CountBefore(*entry.getFirstNonPHIOrDbgOrAlloca(), counter, kCallWeight, hot);
}

}  // namespace kelvin::engine
