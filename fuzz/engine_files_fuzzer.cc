// Whatever the files that the engine reads at its start hold, reading stays within their bytes: the
// table of names behind its program, the symbols of an image, an image's seal, an image that is
// loaded. And an image with one bit changed is refused.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include <sys/mman.h>

#include "base/file.h"
#include "engine/elf_symbols.h"
#include "engine/exports.h"
#include "engine/image_format.h"
#include "engine/image_loader.h"

namespace {

using namespace kelvin::engine;

void ReadAsProgram(const std::string& bytes, std::uint64_t number) {
  if (const auto exports = Exports::FromProgram(bytes)) {
    exports->Find(bytes.substr(0, number % 16));
    exports->NameOf(number);
  }
  if (const auto symbols = ReadProgramSymbols(bytes)) {
    const std::string table = MakeExportTable(symbols->symbols, symbols->build_id);
    const auto exports = Exports::FromProgram(table);
    if (!exports) std::abort();
    for (const Export& symbol : symbols->symbols) {
      if (exports->Find(symbol.name)->address != symbol.address) std::abort();
    }
  }
  NameOfSymbol(bytes, number);
}

void SealAndDamage(const std::string& bytes, std::uint64_t number) {
  if (bytes.empty()) return;
  ImageSeal seal;
  std::strcpy(seal.cpu, "x86-64-v2");
  seal.bitcode = Digest("bitcode");
  seal.object = Digest(bytes);
  std::string file = bytes;
  file.append(reinterpret_cast<const char*>(&seal), sizeof seal);
  const auto object = CheckSeal(file, seal.engine, "bitcode");
  if (!object || *object != bytes) std::abort();
  const std::uint64_t bit = number % (bytes.size() * 8);
  file[bit / 8] = static_cast<char>(file[bit / 8] ^ 1 << bit % 8);
  if (CheckSeal(file, seal.engine, "bitcode")) std::abort();
}

void LoadAsImage(const std::string& bytes) {
  const kelvin::UniqueFd fd(::memfd_create("image", MFD_CLOEXEC));
  if (!fd.valid() || !kelvin::WriteAll(fd.get(), bytes)) std::abort();
  ImageLoader loader(bytes, fd.get());
  const auto resolve = [](std::string_view name) -> std::optional<std::uint64_t> {
    return name.size() % 7 == 0 ? std::nullopt : std::optional<std::uint64_t>(name.size());
  };
  if (!loader.Map() || !loader.Connect(resolve)) return;
  if (const auto index = loader.Index()) {
    // What it promises to hold can be read.
    std::uint64_t sum = 0;
    const auto* const at = reinterpret_cast<const char*>(*index);
    for (std::uint32_t i = 0; i < (*index)->functions; ++i) {
      sum += reinterpret_cast<const std::uint64_t*>(at + (*index)->slots)[i];
      sum += reinterpret_cast<const std::uint32_t*>(at + (*index)->bodies)[i];
    }
    for (const auto run : loader.initializers()) sum += reinterpret_cast<std::uint64_t>(run);
    volatile std::uint64_t kept = sum;
    (void)kept;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::uint64_t number = 0;
  if (size < sizeof number) return 0;
  std::memcpy(&number, data, sizeof number);
  // Tables within a program are aligned, as a mapped file's are: a string's bytes are, too.
  const std::string bytes(reinterpret_cast<const char*>(data) + sizeof number,
                          size - sizeof number);
  (void)CheckSeal(bytes, BuildId{}, "bitcode");
  ReadAsProgram(bytes, number);
  SealAndDamage(bytes, number);
  LoadAsImage(bytes);
  return 0;
}
