#include "package/bootstrap.h"

#include <cstring>

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"

namespace kelvin::package {
namespace {

using ::testing::HasSubstr;

class CheckBootstrapTest : public ::testing::Test {
 protected:
  CheckBootstrapTest() : folder_(TemporaryDirectory::Create().value()) {}
  std::filesystem::path path() const { return folder_.path() / "bootstrap"; }

  std::expected<void, Error> CheckWith(std::string_view content, int mode = 0755) {
    EXPECT_TRUE(WriteFileAtomically(path(), content, mode));
    return CheckBootstrap(folder_.path());
  }
  static std::string ElfHeader(Elf64_Half machine, Elf64_Half type = ET_DYN) {
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_machine = machine;
    header.e_type = type;
    return {reinterpret_cast<const char*>(&header), sizeof header};
  }
  static Elf64_Half ThisMachine() {
    Elf64_Half machine = 0;
    const std::string self = ReadFile("/proc/self/exe").value();
    std::memcpy(&machine, self.data() + offsetof(Elf64_Ehdr, e_machine), sizeof machine);
    return machine;
  }

  TemporaryDirectory folder_;
};

TEST_F(CheckBootstrapTest, AcceptsProgramsAndScripts) {
  EXPECT_TRUE(CheckWith(ReadFile("/proc/self/exe").value()));
  EXPECT_TRUE(CheckWith(ElfHeader(ThisMachine(), ET_EXEC)));
  EXPECT_TRUE(CheckWith("#!/bin/sh\necho hello\n"));
}

TEST_F(CheckBootstrapTest, SaysThatItIsMissing) {
  auto checked = CheckBootstrap(folder_.path());
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(checked.error().message, HasSubstr("\"bootstrap\""));
}

TEST_F(CheckBootstrapTest, SaysThatItIsNotExecutable) {
  auto checked = CheckWith("#!/bin/sh\n", 0644);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, ErrorCode::kPermissionDenied);
  EXPECT_THAT(checked.error().message, HasSubstr("chmod 755"));
}

TEST_F(CheckBootstrapTest, NamesTheOtherArchitecture) {
  const Elf64_Half other = ThisMachine() == EM_AARCH64 ? EM_X86_64 : EM_AARCH64;
  auto checked = CheckWith(ElfHeader(other));
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(checked.error().message, HasSubstr("x86_64"));
  EXPECT_THAT(checked.error().message, HasSubstr("arm64"));
}

TEST_F(CheckBootstrapTest, RefusesWhatIsNoProgram) {
  const std::pair<std::string, const char*> cases[] = {
      {"", "neither"},
      {"plain text\n", "neither"},
      {"MZ windows", "neither"},
      {ELFMAG, "header"},
      {ElfHeader(ThisMachine(), ET_REL), "link it"},
      {"#!/bin/sh\r\necho hello\r\n", "carriage return"},
  };
  for (const auto& [content, why] : cases) {
    auto checked = CheckWith(content);
    ASSERT_FALSE(checked) << why;
    EXPECT_EQ(checked.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(checked.error().message, HasSubstr(why));
  }
}

TEST_F(CheckBootstrapTest, RefusesAFolder) {
  std::filesystem::create_directory(path());
  auto checked = CheckBootstrap(folder_.path());
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace kelvin::package
