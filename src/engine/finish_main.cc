// kelvin_finish_engine: the last step of the engine's build. Appends the table of names to the
// program that the linker made.
#include <cstdio>

#include <fmt/format.h>

#include "base/file.h"
#include "engine/elf_symbols.h"
#include "engine/exports.h"

namespace {

// `stripped` is the same program without its symbols.
int Finish(const char* linked, const char* stripped, const char* output) {
  const auto elf = kelvin::ReadFile(linked);
  auto program = kelvin::ReadFile(stripped);
  if (!elf || !program) {
    fmt::print(stderr, "kelvin_finish_engine: {}\n", (elf ? program : elf).error().message);
    return 1;
  }
  const auto symbols = kelvin::engine::ReadProgramSymbols(*elf);
  if (!symbols) {
    fmt::print(stderr, "kelvin_finish_engine: {}: {}\n", linked, symbols.error().message);
    return 1;
  }
  program->resize((program->size() + 15) / 16 * 16);
  *program += kelvin::engine::MakeExportTable(symbols->symbols, symbols->build_id);
  if (const auto written = kelvin::WriteFileAtomically(output, *program, 0755); !written) {
    fmt::print(stderr, "kelvin_finish_engine: {}\n", written.error().message);
    return 1;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    fmt::print(stderr, "usage: kelvin_finish_engine LINKED STRIPPED OUTPUT\n");
    return 2;
  }
  return Finish(argv[1], argv[2], argv[3]);
}
