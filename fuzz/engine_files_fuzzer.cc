// Whatever the files that the engine reads at its start hold, reading stays within their bytes: the
// table of names behind its program, the symbols of an image, an image's seal. And an image with
// one bit changed is refused.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "engine/elf_symbols.h"
#include "engine/exports.h"
#include "engine/image_format.h"

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
  return 0;
}
