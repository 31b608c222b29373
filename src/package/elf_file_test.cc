#include "package/elf_file.h"

#include <cstring>

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "package/program_builder.h"

namespace kelvin::package {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kMain = "int main(void) { return 0; }";

class ReadElfTest : public ::testing::Test {
 protected:
  ElfFile Read(const std::string& source, const std::string& flags) {
    auto elf = ReadElf(builder_.Bytes(source, flags));
    EXPECT_TRUE(elf) << elf.error().message;
    return elf.value_or(ElfFile());
  }
  void ExpectRefused(const std::string& bytes, const std::string& why) {
    const auto elf = ReadElf(bytes);
    ASSERT_FALSE(elf) << why;
    EXPECT_EQ(elf.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(elf.error().message, HasSubstr(why));
  }
  template <typename Change>
  std::string Changed(Change change) {
    std::string bytes = builder_.Bytes(kMain, "-pie -fPIE");
    Elf64_Ehdr header;
    std::memcpy(&header, bytes.data(), sizeof header);
    change(header, bytes);
    std::memcpy(bytes.data(), &header, sizeof header);
    return bytes;
  }
  ProgramBuilder builder_;
};

TEST_F(ReadElfTest, TellsHowAProgramIsLinked) {
  const ElfFile pie = Read(kMain, "-pie -fPIE -Wl,-z,relro,-z,now");
  EXPECT_EQ(pie.kind, ElfKind::kPie);
  EXPECT_TRUE(pie.dynamic);
  EXPECT_THAT(pie.needed, Contains("libc.so.6"));
  EXPECT_THAT(pie.interpreter, HasSubstr("ld-linux"));
  EXPECT_EQ(pie.relro, Relro::kFull);
  EXPECT_EQ(pie.stack_execution, StackExecution::kNo);

  const ElfFile fixed = Read(kMain, "-no-pie -Wl,-z,norelro");
  EXPECT_EQ(fixed.kind, ElfKind::kExecutable);
  EXPECT_EQ(fixed.relro, Relro::kNone);

  const ElfFile static_pie = Read(kMain, "-static-pie -fPIE");
  EXPECT_EQ(static_pie.kind, ElfKind::kPie);
  EXPECT_FALSE(static_pie.dynamic);
  EXPECT_THAT(static_pie.needed, IsEmpty());
  EXPECT_GT(static_pie.relative_relocations, 0U);

  const ElfFile library = Read("int f(void) { return 1; }", "-shared -fPIC -Wl,-soname,libf.so");
  EXPECT_EQ(library.kind, ElfKind::kSharedLibrary);
  EXPECT_TRUE(library.interpreter.empty());
}

TEST_F(ReadElfTest, FindsImportsVersionsAndSearchPaths) {
  const ElfFile elf = Read(
      "#include <dlfcn.h>\n#include <stdlib.h>\n"
      "int main(int n, char** v) { return dlopen(v[0], 1) != 0 ? system(v[0]) : 0; }",
      "-pie -fPIE -Wl,-rpath,/build/lib");
  EXPECT_TRUE(elf.Imports("dlopen"));
  EXPECT_FALSE(elf.Imports("dlsym"));
  EXPECT_THAT(elf.search_paths, Contains("/build/lib"));
  bool named = false;
  for (const ElfVersionNeed& need : elf.versions) {
    if (need.version.starts_with("GLIBC_") && !need.symbols.empty()) named = true;
  }
  EXPECT_TRUE(named);
}

TEST_F(ReadElfTest, CountsInitialisersAndPackedRelocations) {
  constexpr const char* kSource =
      "__attribute__((constructor)) static void a(void) {}\n"
      "__attribute__((constructor)) static void b(void) {}\n"
      "void* table[] = {a, b, &table, &table, &table};\n"
      "int main(void) { return table[0] == 0; }";
  const ElfFile plain = Read(kSource, "-pie -fPIE");
  const ElfFile none = Read(kMain, "-pie -fPIE");
  EXPECT_EQ(plain.initialisers, none.initialisers + 2);
  const ElfFile packed = Read(kSource, "-pie -fPIE -Wl,-z,pack-relative-relocs");
  EXPECT_EQ(packed.relative_relocations, plain.relative_relocations);
}

TEST_F(ReadElfTest, NamesFunctionsUntilTheyAreStripped) {
  const ElfFile elf = Read(kMain, "-O0");
  const auto main = std::ranges::find(elf.functions, "main", &ElfFunction::name);
  ASSERT_NE(main, elf.functions.end());
  EXPECT_EQ(elf.FunctionAt(main->address + 1), "main");
  EXPECT_THAT(Read(kMain, "-s").functions, IsEmpty());
}

TEST_F(ReadElfTest, ReadsTheKindOfOtherMachines) {
  std::string bytes =
      Changed([](Elf64_Ehdr& header, std::string&) { header.e_machine = EM_AARCH64; });
  EXPECT_EQ(ReadElf(bytes)->machine, EM_AARCH64);
  bytes[EI_CLASS] = ELFCLASS32;
  EXPECT_FALSE(ReadElf(bytes)->is_64_bit);
}

TEST_F(ReadElfTest, RefusesHeadersThatCannotBe) {
  ExpectRefused("", "begin");
  ExpectRefused("\177ELF", "ends within its header");
  ExpectRefused(Changed([](Elf64_Ehdr& h, std::string&) { h.e_ident[EI_CLASS] = 9; }), "class 9");
  ExpectRefused(Changed([](Elf64_Ehdr& h, std::string&) { h.e_version = 7; }), "version 7");
  ExpectRefused(Changed([](Elf64_Ehdr& h, std::string&) { h.e_phoff = ~0ULL; }), "program headers");
  ExpectRefused(Changed([](Elf64_Ehdr& h, std::string&) { h.e_phnum = 0xfffe; }),
                "program headers");
  ExpectRefused(Changed([](Elf64_Ehdr& h, std::string&) { h.e_shoff = 1ULL << 62; }),
                "section headers");
  ExpectRefused(Changed([](Elf64_Ehdr& h, std::string&) { h.e_shentsize = 1; }), "section headers");
  ExpectRefused(Changed([](Elf64_Ehdr& h, std::string&) { h.e_shstrndx = 60000; }), "names");
  ExpectRefused(Changed([](Elf64_Ehdr& h, std::string& bytes) {
                  Elf64_Shdr section;
                  std::memcpy(&section, bytes.data() + h.e_shoff + sizeof section, sizeof section);
                  section.sh_size = 1ULL << 40;
                  std::memcpy(bytes.data() + h.e_shoff + sizeof section, &section, sizeof section);
                }),
                "section 1");
  ExpectRefused(Changed([](Elf64_Ehdr& h, std::string& bytes) {
                  Elf64_Phdr segment;
                  std::memcpy(&segment, bytes.data() + h.e_phoff, sizeof segment);
                  segment.p_filesz = 1ULL << 40;
                  std::memcpy(bytes.data() + h.e_phoff, &segment, sizeof segment);
                }),
                "program header 0");
}

TEST_F(ReadElfTest, NeverReadsBeyondAFileThatIsCutShort) {
  const std::string bytes = builder_.Bytes(kMain, "-pie -fPIE -s");
  for (std::size_t size = 0; size < bytes.size(); size += 97) {
    // A copy of its own, so that a sanitizer sees every step beyond it.
    const auto elf = ReadElf(std::string(bytes.substr(0, size)));
    EXPECT_TRUE(!elf || elf->sections.empty() || size > sizeof(Elf64_Ehdr));
  }
}

}  // namespace
}  // namespace kelvin::package
