#include "engine/bitcode.h"

#include <charconv>

#include <fmt/format.h>
#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/Support/MemoryBufferRef.h>
#include <llvm/TargetParser/Host.h>
#include <llvm/TargetParser/Triple.h>

namespace kelvin::engine {
namespace {

constexpr std::string_view kRebuild = "build the package again with kelvin_add_function";

std::unexpected<Error> Bad(ErrorCode code, std::string message) {
  return std::unexpected(Error{code, std::move(message)});
}

// "LLVM19.1.7" gives 19.
unsigned MajorOf(std::string_view producer) {
  unsigned major = 0;
  const std::size_t digit = producer.find_first_of("0123456789");
  if (digit != std::string_view::npos) {
    std::from_chars(producer.data() + digit, producer.data() + producer.size(), major);
  }
  return major;
}

}  // namespace

std::string HostTriple() {
  return llvm::sys::getProcessTriple();
}

bool IsVariable(const llvm::GlobalVariable& variable) {
  return variable.hasInitializer() && !variable.getName().starts_with("llvm.");
}

Error FromLlvm(ErrorCode code, std::string_view doing, llvm::Error error) {
  return Error{code, fmt::format("cannot {}: {}", doing, llvm::toString(std::move(error)))};
}

std::expected<std::unique_ptr<llvm::Module>, Error> ReadBitcode(std::string_view name,
                                                                std::string_view bytes,
                                                                llvm::LLVMContext& context) {
  const llvm::MemoryBufferRef buffer(llvm::StringRef(bytes.data(), bytes.size()),
                                     llvm::StringRef(name.data(), name.size()));
  if (!bytes.starts_with("BC\xc0\xde")) {
    return Bad(ErrorCode::kCorrupt,
               fmt::format("expected LLVM bitcode in {}, found {} bytes of something else: {}",
                           name, bytes.size(), kRebuild));
  }
  auto producer = llvm::getBitcodeProducerString(buffer);
  if (!producer) {
    return std::unexpected(FromLlvm(
        ErrorCode::kCorrupt, fmt::format("read {} ({})", name, kRebuild), producer.takeError()));
  }
  if (producer->empty()) {
    return Bad(
        ErrorCode::kCorrupt,
        fmt::format("expected whole bitcode in {}, found its beginning: {}", name, kRebuild));
  }
  if (MajorOf(*producer) != kLlvmMajor) {
    return Bad(ErrorCode::kInvalidArgument,
               fmt::format("expected bitcode of LLVM {} in {}, found bitcode of {}: build the "
                           "package again with clang {}",
                           kLlvmMajor, name, *producer, kLlvmMajor));
  }
  auto module = llvm::getLazyBitcodeModule(buffer, context);
  if (!module) {
    return std::unexpected(FromLlvm(
        ErrorCode::kCorrupt, fmt::format("read {} ({})", name, kRebuild), module.takeError()));
  }
  const llvm::Triple host(HostTriple());
  const llvm::Triple target((*module)->getTargetTriple());
  if (target.getArch() != host.getArch() || !target.isOSLinux()) {
    return Bad(ErrorCode::kInvalidArgument,
               fmt::format("expected bitcode for {} in {}, found bitcode for {}: build the package "
                           "for the architecture that the function is configured for",
                           host.str(), name, target.str()));
  }
  return std::move(*module);
}

}  // namespace kelvin::engine
