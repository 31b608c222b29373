#include "engine/entry_code.h"

#include <cstring>
#include <initializer_list>

#include <cpuid.h>

namespace kelvin::engine {
namespace {

class Writer {
 public:
  explicit Writer(const CodeMemory::Code& code) : code_(code) {}
  void Bytes(std::initializer_list<unsigned char> bytes) {
    for (const unsigned char byte : bytes) code_.write[at_++] = static_cast<char>(byte);
  }
  template <typename T>
  void Value(T value) {
    std::memcpy(code_.write + at_, &value, sizeof value);
    at_ += sizeof value;
  }
  // A displacement of 32 bits, counted from its own end.
  void Relative(std::uint64_t target) {
    Value(static_cast<std::int32_t>(target - (code_.run + at_ + 4)));
  }
  void PadTo(std::size_t size) {
    while (at_ % size != 0) code_.write[at_++] = '\xcc';
  }

 private:
  CodeMemory::Code code_;
  std::size_t at_ = 0;
};

constexpr std::size_t kFarJumpBytes = 32;

// mov $value, %reg; jmp *target
void WriteFarJump(Writer& writer, std::initializer_list<unsigned char> load, std::uint64_t value,
                  std::uint64_t target) {
  writer.Bytes(load);
  writer.Value(value);
  writer.Bytes({0xff, 0x25, 0, 0, 0, 0});
  writer.Value(target);
}

bool HasXsave() {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_OSXSAVE) != 0;
}

}  // namespace

extern "C" {
void kelvin_engine_lazy_entry();
unsigned char kelvin_engine_has_xsave = HasXsave() ? 1 : 0;
}

// At its start: (%rsp) the function's number, 8(%rsp) the caller's return address, %r11 the engine.
// The vector registers are saved with all they may hold on this CPU.
asm(R"(
  .text
  .p2align 4
  .globl kelvin_engine_lazy_entry
  .hidden kelvin_engine_lazy_entry
  .type kelvin_engine_lazy_entry, @function
kelvin_engine_lazy_entry:
  .cfi_startproc
  .cfi_def_cfa_offset 16
  push %rbp
  .cfi_def_cfa_offset 24
  .cfi_offset %rbp, -24
  mov %rsp, %rbp
  .cfi_def_cfa_register %rbp
  push %rax
  push %rcx
  push %rdx
  push %rsi
  push %rdi
  push %r8
  push %r9
  push %r10
  sub $4096, %rsp
  and $-64, %rsp
  cmpb $0, kelvin_engine_has_xsave(%rip)
  je 1f
  movq $0, 512(%rsp)
  movq $0, 520(%rsp)
  movq $0, 528(%rsp)
  movq $0, 536(%rsp)
  movq $0, 544(%rsp)
  movq $0, 552(%rsp)
  movq $0, 560(%rsp)
  movq $0, 568(%rsp)
  mov $0xe7, %eax
  xor %edx, %edx
  xsave64 (%rsp)
  jmp 2f
1:
  fxsave64 (%rsp)
2:
  mov %r11, %rdi
  mov 8(%rbp), %rsi
  call kelvin_engine_compile
  mov %rax, 8(%rbp)
  cmpb $0, kelvin_engine_has_xsave(%rip)
  je 3f
  mov $0xe7, %eax
  xor %edx, %edx
  xrstor64 (%rsp)
  jmp 4f
3:
  fxrstor64 (%rsp)
4:
  mov -8(%rbp), %rax
  mov -16(%rbp), %rcx
  mov -24(%rbp), %rdx
  mov -32(%rbp), %rsi
  mov -40(%rbp), %rdi
  mov -48(%rbp), %r8
  mov -56(%rbp), %r9
  mov -64(%rbp), %r10
  mov %rbp, %rsp
  pop %rbp
  .cfi_def_cfa %rsp, 16
  ret
  .cfi_endproc
  .size kelvin_engine_lazy_entry, .-kelvin_engine_lazy_entry
)");

std::expected<std::uint64_t, Error> MakeStubs(CodeMemory& memory,
                                              std::span<const std::uint64_t> slots) {
  const auto code = memory.AllocateCode(slots.size() * kStubBytes, kStubBytes);
  if (!code) return std::unexpected(code.error());
  Writer writer(*code);
  for (const std::uint64_t& slot : slots) {
    writer.Bytes({0xff, 0x25});
    writer.Relative(reinterpret_cast<std::uint64_t>(&slot));
    writer.PadTo(kStubBytes);
  }
  return code->run;
}

std::expected<std::uint64_t, Error> MakeLazyEntries(CodeMemory& memory, Engine& engine,
                                                    std::uint32_t first, std::uint32_t count) {
  const auto code =
      memory.AllocateCode(kFarJumpBytes + std::size_t{count} * kLazyEntryBytes, kFarJumpBytes);
  if (!code) return std::unexpected(code.error());
  Writer writer(*code);
  // mov $engine, %r11
  WriteFarJump(writer, {0x49, 0xbb}, reinterpret_cast<std::uint64_t>(&engine),
               reinterpret_cast<std::uint64_t>(&kelvin_engine_lazy_entry));
  writer.PadTo(kFarJumpBytes);
  for (std::uint32_t i = 0; i < count; ++i) {
    // push $number; jmp
    writer.Bytes({0x68});
    writer.Value(first + i);
    writer.Bytes({0xe9});
    writer.Relative(code->run);
    writer.PadTo(kLazyEntryBytes);
  }
  return code->run + kFarJumpBytes;
}

std::expected<std::uint64_t, Error> BindEngine(CodeMemory& memory, Engine& engine,
                                               std::uint64_t target, unsigned integers) {
  const auto code = memory.AllocateCode(kFarJumpBytes, kFarJumpBytes);
  if (!code) return std::unexpected(code.error());
  Writer writer(*code);
  const auto value = reinterpret_cast<std::uint64_t>(&engine);
  switch (integers) {
    case 1:
      WriteFarJump(writer, {0x48, 0xbe}, value, target);  // %rsi
      break;
    case 2:
      WriteFarJump(writer, {0x48, 0xba}, value, target);  // %rdx
      break;
    case 3:
      WriteFarJump(writer, {0x48, 0xb9}, value, target);  // %rcx
      break;
    default:
      return std::unexpected(Error{ErrorCode::kInternal, "no register for the engine"});
  }
  return code->run;
}

}  // namespace kelvin::engine
