#include "package/cpu_instructions.h"

#include <array>
#include <cstdio>
#include <memory>
#include <set>

#include <gtest/gtest.h>

#include "base/file.h"
#include "package/elf_file.h"
#include "package/program_builder.h"

namespace kelvin::package {
namespace {

std::string Output(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  std::string text;
  std::array<char, 65536> buffer{};
  for (std::size_t got = 0; (got = std::fread(buffer.data(), 1, buffer.size(), pipe.get())) > 0;) {
    text.append(buffer.data(), got);
  }
  return text;
}

// Where objdump sees instructions begin in .text.
std::set<std::uint64_t> ByObjdump(const std::filesystem::path& program) {
  const std::string text =
      Output("objdump -d --no-show-raw-insn -j .text " + program.native() + " 2>/dev/null");
  std::set<std::uint64_t> addresses;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    char* rest = nullptr;
    const std::uint64_t address = std::strtoull(line.c_str(), &rest, 16);
    if (line.starts_with(' ') && rest != nullptr && *rest == ':') addresses.insert(address);
  }
  return addresses;
}

std::set<std::uint64_t> ByKelvin(const std::filesystem::path& program) {
  const std::string bytes = ReadFile(program).value();
  const ElfFile elf = ReadElf(bytes).value();
  const ElfSection* text = elf.Section(".text");
  std::set<std::uint64_t> addresses;
  const std::string_view code = std::string_view(bytes).substr(text->offset, text->size);
  for (std::size_t at = 0; at < code.size();) {
    addresses.insert(text->address + at);
    const std::size_t length = X86InstructionLength(code.substr(at));
    at += length != 0 ? length : 1;
  }
  return addresses;
}

double Agreement(const std::filesystem::path& program) {
  const auto theirs = ByObjdump(program);
  const auto ours = ByKelvin(program);
  std::size_t same = 0;
  for (const std::uint64_t address : theirs) same += ours.count(address);
  return theirs.empty() ? 0 : static_cast<double>(same) / static_cast<double>(theirs.size());
}

#if defined(__x86_64__)
TEST(X86InstructionLength, AgreesWithObjdumpOnThisProgram) {
#if defined(KELVIN_SANITIZED)
  GTEST_SKIP() << "a sanitizer writes data between functions";
#endif
  EXPECT_GT(Agreement(std::filesystem::read_symlink("/proc/self/exe")), 0.9999);
}

// glibc has code for every extension, hand-written.
TEST(X86InstructionLength, AgreesWithObjdumpOnAStaticProgram) {
  const ProgramBuilder builder;
  const auto program = builder.Compile("int main() { return 0; }", "-static -O2");
  EXPECT_GT(Agreement(program), 0.999);
}
#endif

TEST(ScanX86, FindsAvx512AndItsFirstPlace) {
  // nop; vaddps zmm0, zmm0, zmm0; ret
  const std::string code("\x90\x62\xf1\x7c\x48\x58\xc0\xc3", 8);
  const CpuScan scan = ScanX86(code);
  EXPECT_EQ(scan.beyond, 1U);
  EXPECT_EQ(scan.first_offset, 1U);
  EXPECT_FALSE(scan.asks_the_cpu);
  EXPECT_TRUE(ScanX86("\x0f\xa2").asks_the_cpu);
  // vaddps ymm0, ymm0, ymm0 is AVX, which every machine has.
  EXPECT_EQ(ScanX86(std::string("\xc5\xfc\x58\xc0", 4)).beyond, 0U);
}

TEST(ScanArm64, FindsSve) {
  // ptrue p0.b; ret
  const std::string code("\xe0\xe3\x18\x25\xc0\x03\x5f\xd6", 8);
  EXPECT_EQ(ScanArm64(code).beyond, 1U);
  EXPECT_EQ(ScanArm64(code.substr(4)).beyond, 0U);
}

TEST(X86InstructionLength, IsNothingWhereTheBytesEnd) {
  EXPECT_EQ(X86InstructionLength(""), 0U);
  EXPECT_EQ(X86InstructionLength("\x62"), 0U);
  EXPECT_EQ(X86InstructionLength("\xe8\x01"), 0U);
}

}  // namespace
}  // namespace kelvin::package
