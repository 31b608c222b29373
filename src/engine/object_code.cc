#include "engine/object_code.h"

#include <fmt/format.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetOptions.h>
#include <llvm/TargetParser/Host.h>

#include "engine/bitcode.h"

namespace kelvin::engine {

Cpu BaselineCpu() {
  return {kBaselineCpu, ""};
}

Cpu HostCpu() {
  Cpu cpu{llvm::sys::getHostCPUName().str(), ""};
  for (const auto& feature : llvm::sys::getHostCPUFeatures()) {
    if (!cpu.features.empty()) cpu.features += ',';
    cpu.features += (feature.second ? '+' : '-') + feature.first().str();
  }
  return cpu;
}

std::expected<std::unique_ptr<llvm::TargetMachine>, Error> MakeTargetMachine(
    const Cpu& cpu, llvm::CodeGenOptLevel level) {
  std::string why;
  const std::string triple = HostTriple();
  const llvm::Target* const target = llvm::TargetRegistry::lookupTarget(triple, why);
  if (target == nullptr) return std::unexpected(Error{ErrorCode::kInternal, std::move(why)});
  llvm::TargetOptions options;
  options.EmulatedTLS = true;
  options.UseInitArray = true;
  options.FunctionSections = false;
  std::unique_ptr<llvm::TargetMachine> machine(
      target->createTargetMachine(triple, cpu.name, cpu.features, options, llvm::Reloc::PIC_,
                                  llvm::CodeModel::Small, level, /*JIT=*/false));
  if (machine == nullptr) {
    return std::unexpected(
        Error{ErrorCode::kInternal, fmt::format("LLVM makes no code for {}", triple)});
  }
  if (level == llvm::CodeGenOptLevel::None) machine->setFastISel(true);
  return machine;
}

void SetCpu(llvm::Module& module, const Cpu& cpu) {
  for (llvm::Function& function : module) {
    if (function.isDeclaration()) continue;
    std::string features = cpu.features;
    if (const auto own = function.getFnAttribute("target-features"); own.isValid()) {
      features += (features.empty() ? "" : ",") + own.getValueAsString().str();
    }
    function.addFnAttr("target-cpu", cpu.name);
    if (!features.empty()) function.addFnAttr("target-features", features);
  }
}

void Optimize(llvm::Module& module, llvm::TargetMachine& machine, llvm::OptimizationLevel level) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = true;
  tuning.SLPVectorization = true;
  llvm::PassBuilder builder(&machine, tuning);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  builder.buildThinLTODefaultPipeline(level, nullptr).run(module, modules);
}

std::expected<llvm::SmallVector<char, 0>, Error> EmitObject(llvm::Module& module,
                                                            llvm::TargetMachine& machine) {
  llvm::SmallVector<char, 0> object;
  llvm::raw_svector_ostream stream(object);
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::ObjectFile,
                                  /*DisableVerify=*/true)) {
    return std::unexpected(Error{ErrorCode::kInternal, "LLVM writes no objects for this target"});
  }
  passes.run(module);
  return object;
}

}  // namespace kelvin::engine
