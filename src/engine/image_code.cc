#include "engine/image_code.h"

#include <algorithm>

#include <fmt/format.h>
#include <llvm/Demangle/Demangle.h>
#include <llvm/IR/Constants.h>

#include "engine/bitcode.h"
#include "engine/extract.h"
#include "engine/instrument.h"

namespace kelvin::engine {
namespace {

constexpr char kCounters[] = "kelvin_image_counters";

struct Contents {
  std::vector<std::string> functions;
  std::vector<bool> left_out;
  std::vector<std::string> variables;
};

Contents ContentsOf(const llvm::Module& module) {
  Contents contents;
  for (const llvm::Function& function : module) {
    if (!function.isDeclaration()) contents.functions.push_back(function.getName().str());
  }
  for (const llvm::GlobalVariable& variable : module.globals()) {
    if (!IsVariable(variable)) continue;
    contents.variables.push_back((variable.isThreadLocal() ? "__emutls_v." : "") +
                                 variable.getName().str());
  }
  contents.left_out.resize(contents.functions.size());
  return contents;
}

std::expected<void, Error> LeaveOut(Contents& contents, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    bool found = false;
    for (std::size_t i = 0; i < contents.functions.size(); ++i) {
      // "mix" and "transform::Mix(int)" name it as well as "_ZN9transform3MixEi".
      const std::string plain = llvm::demangle(contents.functions[i]);
      if (contents.functions[i] != name && plain != name &&
          plain.substr(0, plain.find('(')) != name) {
        continue;
      }
      contents.left_out[i] = true;
      found = true;
    }
    if (!found) {
      return std::unexpected(Error{
          ErrorCode::kNotFound,
          fmt::format("expected a function of the bitcode to leave out of the image, found no {}: "
                      "it may have been inlined",
                      name)});
    }
  }
  return {};
}

void Count(llvm::Function& body, std::size_t number) {
  llvm::Module& module = *body.getParent();
  llvm::Type* const i32 = llvm::Type::getInt32Ty(module.getContext());
  auto* counters = llvm::cast<llvm::GlobalVariable>(
      module.getOrInsertGlobal(kCounters, llvm::ArrayType::get(i32, 0)));
  counters->setVisibility(llvm::GlobalValue::HiddenVisibility);
  counters->setDSOLocal(true);
  llvm::Constant* const index =
      llvm::ConstantInt::get(llvm::Type::getInt64Ty(module.getContext()), number);
  CountCallsAndLoops(body, *llvm::ConstantExpr::getInBoundsGetElementPtr(i32, counters, index));
}

std::string Assembly(const Contents& contents) {
  std::string text = ".section .text.kelvin_stubs,\"ax\",@progbits\n.p2align 3\n";
  text += "kelvin_image_stubs:\n";
  for (std::size_t i = 0; i < contents.functions.size(); ++i) {
    text += fmt::format(
        ".globl \"{0}\"\n.hidden \"{0}\"\n.type \"{0}\",@function\n\"{0}\":\n"
        "jmpq *kelvin_image_slots+{1}(%rip)\n.p2align 3, 0xcc\n",
        contents.functions[i], i * 8);
  }
  text += fmt::format(
      ".section .bss.kelvin_slots,\"aw\",@nobits\n.p2align 3\n"
      "kelvin_image_slots:\n.zero {}\n",
      contents.functions.size() * 8 + 8);
  text += fmt::format(".globl {0}\n.hidden {0}\n{0}:\n.zero {1}\n", kCounters,
                      contents.functions.size() * 4 + 4);
  text += ".section .rodata.kelvin_image,\"a\",@progbits\n.p2align 3\n.globl kelvin_image\n";
  text += fmt::format("kelvin_image:\n.long {}\n.long {}\n", contents.functions.size(),
                      contents.variables.size());
  for (const char* part : {"kelvin_image_stubs", "kelvin_image_slots", kCounters,
                           "kelvin_image_bodies", "kelvin_image_addresses"}) {
    text += fmt::format(".long {} - kelvin_image\n", part);
  }
  const bool has_main = std::ranges::find(contents.functions, "main") != contents.functions.end();
  text += has_main ? ".long main - kelvin_image\n" : ".long 0\n";
  text += "kelvin_image_bodies:\n";
  for (std::size_t i = 0; i < contents.functions.size(); ++i) {
    text += contents.left_out[i]
                ? std::string(".long 0\n")
                : fmt::format(".long \"{}\" - kelvin_image\n", BodyName(contents.functions[i]));
  }
  text += "kelvin_image_addresses:\n";
  for (const std::string& variable : contents.variables) {
    text += fmt::format(".long \"{}\" - kelvin_image\n", variable);
  }
  return text + ".text\n";
}

}  // namespace

std::expected<llvm::SmallVector<char, 0>, Error> MakeImageObject(
    llvm::Module& module, const Cpu& cpu, const std::vector<std::string>& left_out) {
  auto machine = MakeTargetMachine(cpu, llvm::CodeGenOptLevel::Default);
  if (!machine) return std::unexpected(std::move(machine.error()));
  Contents contents = ContentsOf(module);
  if (auto known = LeaveOut(contents, left_out); !known) {
    return std::unexpected(std::move(known.error()));
  }
  SetCpu(module, cpu);
  Optimize(module, **machine, llvm::OptimizationLevel::O2);
  for (std::size_t i = 0; i < contents.functions.size(); ++i) {
    llvm::Function& body = SeparateBody(*module.getFunction(contents.functions[i]));
    if (contents.left_out[i]) {
      body.eraseFromParent();
    } else {
      Count(body, i);
    }
  }
  for (llvm::GlobalVariable& variable : module.globals()) {
    if (!IsVariable(variable) || variable.hasLocalLinkage()) continue;
    variable.setVisibility(llvm::GlobalValue::HiddenVisibility);
    variable.setDSOLocal(true);
  }
  module.appendModuleInlineAsm(Assembly(contents));
  return EmitObject(module, **machine);
}

}  // namespace kelvin::engine
