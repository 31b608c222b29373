#include "engine/extract.h"

#include <llvm/IR/Constants.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/Transforms/Utils/Cloning.h>
#include <llvm/Transforms/Utils/ValueMapper.h>

#include "engine/bitcode.h"

namespace kelvin::engine {
namespace {

// Copies things into a new module, declaring whatever they refer to as it is met.
class Copier final : public llvm::ValueMaterializer {
 public:
  explicit Copier(llvm::Module& source)
      : result_(std::make_unique<llvm::Module>(source.getModuleIdentifier(), source.getContext())) {
    result_->setDataLayout(source.getDataLayout());
    result_->setTargetTriple(source.getTargetTriple());
    result_->setPICLevel(llvm::PICLevel::SmallPIC);
  }

  llvm::Value* materialize(llvm::Value* value) override {
    if (auto* const function = llvm::dyn_cast<llvm::Function>(value)) return Declare(*function);
    if (auto* const variable = llvm::dyn_cast<llvm::GlobalVariable>(value)) {
      return Declare(*variable);
    }
    return nullptr;
  }

  std::expected<llvm::Function*, Error> DefineBody(llvm::Function& function) {
    llvm::Function* const body = NewFunction(function, BodyName(function.getName()));
    body->setDSOLocal(true);
    if (auto copied = Fill(*body, function); !copied) return std::unexpected(copied.error());
    return body;
  }

  // For the optimiser to look into; the code comes from elsewhere.
  std::expected<void, Error> DefineForInlining(llvm::Function& function) {
    llvm::Function* const copy = llvm::cast<llvm::Function>(
        llvm::MapValue(&function, values_, llvm::RF_None, nullptr, this));
    copy->setLinkage(llvm::GlobalValue::AvailableExternallyLinkage);
    return Fill(*copy, function);
  }

  void Define(llvm::GlobalVariable& variable) {
    auto* const copy = llvm::cast<llvm::GlobalVariable>(
        llvm::MapValue(&variable, values_, llvm::RF_None, nullptr, this));
    if (copy->hasInitializer()) return;
    copy->setInitializer(
        llvm::MapValue(variable.getInitializer(), values_, llvm::RF_None, nullptr, this));
  }

  // The values of constants, for the optimiser to look at.
  void ShowConstants() {
    // Showing one can bring further ones.
    for (std::size_t i = 0; i < variables_.size(); ++i) {
      const auto [variable, copy] = variables_[i];
      if (copy->hasInitializer() || !variable->isConstant() || variable->isThreadLocal() ||
          !variable->hasDefinitiveInitializer()) {
        continue;
      }
      llvm::Constant* const value = variable->getInitializer();
      copy->setInitializer(llvm::MapValue(value, values_, llvm::RF_None, nullptr, this));
      copy->setLinkage(llvm::GlobalValue::AvailableExternallyLinkage);
    }
  }

  void DefineWanted(const std::function<bool(const llvm::GlobalVariable&)>& wanted) {
    if (!wanted) return;
    // Defining one can bring further ones.
    for (std::size_t i = 0; i < variables_.size(); ++i) {
      llvm::GlobalVariable& variable = *variables_[i].first;
      if (variable.hasInitializer() && wanted(variable)) Define(variable);
    }
  }

  std::unique_ptr<llvm::Module> Take() { return std::move(result_); }

 private:
  llvm::Function* NewFunction(const llvm::Function& function, const llvm::Twine& name) {
    llvm::Function* const copy =
        llvm::Function::Create(function.getFunctionType(), llvm::GlobalValue::ExternalLinkage,
                               function.getAddressSpace(), name, result_.get());
    copy->copyAttributesFrom(&function);
    copy->setLinkage(llvm::GlobalValue::ExternalLinkage);
    copy->setVisibility(llvm::GlobalValue::DefaultVisibility);
    // These are constants of the other module.
    copy->setPersonalityFn(nullptr);
    copy->setPrefixData(nullptr);
    copy->setPrologueData(nullptr);
    return copy;
  }

  llvm::Function* Declare(const llvm::Function& function) {
    llvm::Function* const copy = NewFunction(function, function.getName());
    if (!function.isIntrinsic()) copy->setDSOLocal(true);
    return copy;
  }

  llvm::GlobalVariable* Declare(llvm::GlobalVariable& variable) {
    auto* const copy =
        new llvm::GlobalVariable(*result_, variable.getValueType(), variable.isConstant(),
                                 llvm::GlobalValue::ExternalLinkage, nullptr, variable.getName(),
                                 nullptr, variable.getThreadLocalMode());
    copy->copyAttributesFrom(&variable);
    copy->setLinkage(llvm::GlobalValue::ExternalLinkage);
    copy->setVisibility(llvm::GlobalValue::DefaultVisibility);
    copy->setDSOLocal(true);
    variables_.emplace_back(&variable, copy);
    return copy;
  }

  std::expected<void, Error> Fill(llvm::Function& copy, llvm::Function& function) {
    if (auto error = function.materialize()) {
      return std::unexpected(
          FromLlvm(ErrorCode::kCorrupt, "read a function from the bitcode", std::move(error)));
    }
    auto argument = copy.arg_begin();
    for (llvm::Argument& original : function.args()) values_[&original] = &*argument++;
    llvm::SmallVector<llvm::ReturnInst*> returns;
    llvm::CloneFunctionInto(&copy, &function, values_,
                            llvm::CloneFunctionChangeType::DifferentModule, returns, "", nullptr,
                            nullptr, this);
    return {};
  }

  std::unique_ptr<llvm::Module> result_;
  llvm::ValueToValueMapTy values_;
  std::vector<std::pair<llvm::GlobalVariable*, llvm::GlobalVariable*>> variables_;
};

llvm::SmallVector<llvm::Function*> CalleesOf(const llvm::Function& function) {
  llvm::SmallVector<llvm::Function*> callees;
  for (const llvm::Instruction& instruction : llvm::instructions(function)) {
    const auto* const call = llvm::dyn_cast<llvm::CallBase>(&instruction);
    llvm::Function* const callee = call != nullptr ? call->getCalledFunction() : nullptr;
    if (callee != nullptr && !callee->isDeclaration()) callees.push_back(callee);
  }
  return callees;
}

std::expected<void, Error> BringCallees(Copier& copier, llvm::Function& function,
                                        const Extraction& how) {
  llvm::SmallPtrSet<llvm::Function*, 16> seen = {&function};
  llvm::SmallVector<llvm::Function*> level = CalleesOf(function);
  unsigned left = how.inline_instructions;
  for (unsigned depth = 0; depth < how.inline_depth; ++depth) {
    llvm::SmallVector<llvm::Function*> next;
    for (llvm::Function* callee : level) {
      if (!seen.insert(callee).second || callee->hasFnAttribute(llvm::Attribute::NoInline)) {
        continue;
      }
      if (auto error = callee->materialize()) {
        return std::unexpected(
            FromLlvm(ErrorCode::kCorrupt, "read a function from the bitcode", std::move(error)));
      }
      const unsigned size = callee->getInstructionCount();
      if (size > left) continue;
      left -= size;
      if (auto copied = copier.DefineForInlining(*callee); !copied) return copied;
      next.append(CalleesOf(*callee));
    }
    level = std::move(next);
  }
  return {};
}

// A function that calls itself need not go through its stub.
void CallItselfDirectly(llvm::Module& module, llvm::StringRef name, llvm::Function& body) {
  llvm::Function* const stub = module.getFunction(name);
  if (stub == nullptr) return;
  for (llvm::User* user : llvm::make_early_inc_range(stub->users())) {
    auto* const call = llvm::dyn_cast<llvm::CallBase>(user);
    if (call != nullptr && call->getCalledOperand() == stub) call->setCalledOperand(&body);
  }
}

}  // namespace

std::string BodyName(llvm::StringRef function) {
  return function.str() + ".body";
}

llvm::Function& SeparateBody(llvm::Function& function) {
  llvm::Module& module = *function.getParent();
  const std::string name = function.getName().str();
  function.setName(BodyName(name));
  llvm::Function* const stub =
      llvm::Function::Create(function.getFunctionType(), llvm::GlobalValue::ExternalLinkage,
                             function.getAddressSpace(), name, &module);
  stub->setAttributes(function.getAttributes());
  stub->setCallingConv(function.getCallingConv());
  stub->setVisibility(llvm::GlobalValue::HiddenVisibility);
  stub->setDSOLocal(true);
  function.replaceAllUsesWith(stub);
  function.setVisibility(llvm::GlobalValue::HiddenVisibility);
  function.setDSOLocal(true);
  return function;
}

std::expected<std::unique_ptr<llvm::Module>, Error> ExtractFunction(llvm::Function& function,
                                                                    const Extraction& how) {
  Copier copier(*function.getParent());
  auto body = copier.DefineBody(function);
  if (!body) return std::unexpected(std::move(body.error()));
  if (how.inline_depth > 0) {
    if (auto brought = BringCallees(copier, function, how); !brought) {
      return std::unexpected(std::move(brought.error()));
    }
    copier.ShowConstants();
  }
  copier.DefineWanted(how.define);
  auto module = copier.Take();
  if (how.inline_depth > 0) CallItselfDirectly(*module, function.getName(), **body);
  return module;
}

std::unique_ptr<llvm::Module> ExtractVariables(llvm::Module& source,
                                               llvm::ArrayRef<llvm::GlobalVariable*> wanted,
                                               const Extraction& how) {
  Copier copier(source);
  for (llvm::GlobalVariable* variable : wanted) copier.Define(*variable);
  copier.DefineWanted(how.define);
  return copier.Take();
}

}  // namespace kelvin::engine
