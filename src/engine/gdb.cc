#include "engine/gdb.h"

#include <cstdint>
#include <cstring>
#include <mutex>
#include <span>

#include <elf.h>

// The names and layouts that GDB looks for.
extern "C" {

enum JitAction : std::uint32_t { kNoAction, kRegister };

struct JitCodeEntry {
  JitCodeEntry* next;
  JitCodeEntry* previous;
  const char* object;
  std::uint64_t size;
};

struct JitDescriptor {
  std::uint32_t version;
  std::uint32_t action;
  JitCodeEntry* relevant;
  JitCodeEntry* first;
};

[[gnu::used]] JitDescriptor __jit_debug_descriptor = {1, kNoAction, nullptr, nullptr};

// GDB has a breakpoint here.
[[gnu::noinline, gnu::used]] void __jit_debug_register_code() {
  asm volatile("" ::: "memory");
}

}  // extern "C"

namespace kelvin::engine {
namespace {

// An object file says where its sections are only once they are somewhere: the code section's
// address is found by a symbol of it whose place is known.
void PlaceSections(std::span<char> elf, const LinkedObject& linked) {
  const auto& header = *reinterpret_cast<const Elf64_Ehdr*>(elf.data());
  const std::span sections(reinterpret_cast<Elf64_Shdr*>(elf.data() + header.e_shoff),
                           header.e_shnum);
  for (const Elf64_Shdr& table : sections) {
    if (table.sh_type != SHT_SYMTAB) continue;
    const char* const names = elf.data() + sections[table.sh_link].sh_offset;
    const std::span symbols(reinterpret_cast<const Elf64_Sym*>(elf.data() + table.sh_offset),
                            table.sh_size / sizeof(Elf64_Sym));
    for (const Elf64_Sym& symbol : symbols) {
      if (symbol.st_shndx == SHN_UNDEF || symbol.st_shndx >= sections.size()) continue;
      const auto place = linked.symbols.find(names + symbol.st_name);
      if (place == linked.symbols.end()) continue;
      sections[symbol.st_shndx].sh_addr = place->second.address - symbol.st_value;
    }
  }
}

}  // namespace

void TellDebugger(std::string_view object, const LinkedObject& linked) {
  if (object.size() < sizeof(Elf64_Ehdr)) return;
  // Never given back: the debugger reads it when it pleases.
  char* const copy = new char[object.size()];
  std::memcpy(copy, object.data(), object.size());
  PlaceSections({copy, object.size()}, linked);
  auto* const entry = new JitCodeEntry{nullptr, nullptr, copy, object.size()};

  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  entry->next = __jit_debug_descriptor.first;
  if (entry->next != nullptr) entry->next->previous = entry;
  __jit_debug_descriptor.first = entry;
  __jit_debug_descriptor.relevant = entry;
  __jit_debug_descriptor.action = kRegister;
  __jit_debug_register_code();
}

}  // namespace kelvin::engine
