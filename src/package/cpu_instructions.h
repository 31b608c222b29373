#pragma once

#include <cstdint>
#include <string_view>

namespace kelvin::package {

// The length in bytes of the 64-bit x86 instruction that `code` begins with, or 0 when it is none
// or ends too early. Knows every opcode map up to EVEX; checked against objdump in the tests.
std::size_t X86InstructionLength(std::string_view code);

// What instructions beyond the guaranteed ones machine code holds.
struct CpuScan {
  std::uint64_t beyond = 0;        // AVX-512 (EVEX) instructions, or SVE on arm64
  std::uint64_t first_offset = 0;  // of the first of them within `code`
  bool asks_the_cpu = false;       // there is a cpuid instruction, so it may choose at run time
};

// Reads code from its start to its end. Data between functions may be taken for instructions, so
// single findings mean little.
CpuScan ScanX86(std::string_view code);
CpuScan ScanArm64(std::string_view code);

}  // namespace kelvin::package
