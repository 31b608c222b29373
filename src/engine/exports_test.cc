#include "engine/exports.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "engine/activity.h"
#include "engine/elf_symbols.h"
#include "engine/frame_name.h"
#include "engine/image_format.h"

namespace kelvin::engine {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const BuildId kId = {1, 2, 3, 0xff};

// As a program with the table of these symbols behind it.
std::string ProgramWith(const std::vector<Export>& symbols) {
  return std::string(32, 'x') + MakeExportTable(symbols, kId);
}

TEST(Exports, FindsEachNameAndNoOther) {
  std::vector<Export> symbols;
  for (std::uint64_t i = 0; i < 500; ++i) {
    symbols.push_back({"function" + std::to_string(i), 1000 + i * 16, ExportKind::kFunction});
  }
  symbols.push_back({"picker", 9, ExportKind::kIndirect});
  const std::string program = ProgramWith(symbols);
  const auto exports = Exports::FromProgram(program);
  ASSERT_TRUE(exports.has_value()) << exports.error().message;
  EXPECT_EQ(exports->build_id(), kId);
  for (std::uint64_t i = 0; i < 500; ++i) {
    EXPECT_EQ(exports->Find("function" + std::to_string(i))->address, 1000 + i * 16);
  }
  EXPECT_EQ(exports->Find("picker")->kind, ExportKind::kIndirect);
  EXPECT_FALSE(exports->Find("function500").has_value());
  EXPECT_FALSE(exports->Find("").has_value());
  EXPECT_EQ(exports->NameOf(1000 + 7 * 16 + 5), "function7+0x5");
}

TEST(Exports, RefusesADamagedTable) {
  const std::string program = ProgramWith({{"a", 1}, {"b", 2}});
  EXPECT_FALSE(Exports::FromProgram("").has_value());
  EXPECT_FALSE(Exports::FromProgram(program.substr(0, program.size() - 1)).has_value());
  EXPECT_FALSE(Exports::FromProgram(program.substr(program.size() - 56)).has_value());
  std::string claims_more = program;
  claims_more[program.size() - 56] = '\x7f';
  EXPECT_THAT(Exports::FromProgram(claims_more).error().message, HasSubstr("damaged"));
}

TEST(ElfSymbols, ReadsItsOwnProgram) {
  const auto self = ReadFile("/proc/self/exe");
  ASSERT_TRUE(self.has_value());
  const std::uint64_t offset = 3;
  // Any name with a known address will do; the addresses are relative in this program.
  EXPECT_EQ(NameOfSymbol("not an ELF file, but long enough to hold a header of one......", offset),
            "");
  EXPECT_FALSE(ReadProgramSymbols("not an ELF file").has_value());
  EXPECT_NE(NameOfSymbol(*self, ~std::uint64_t{0} >> 1), "");
}

TEST(FrameName, IsForPeople) {
  EXPECT_EQ(ReadableFrame("_ZN9transform3MixEi.body+0x1f"), "transform::Mix(int)+0x1f");
  EXPECT_EQ(ReadableFrame("main.body+0x2"), "main+0x2");
  EXPECT_EQ(ReadableFrame(""), "");
}

TEST(Activity, IsOneLineOfJson) {
  Activity activity;
  activity.load = std::chrono::microseconds{1234};
  activity.quick_functions = 3;
  activity.ahead_functions = 2;
  activity.optimized = std::chrono::milliseconds{5};
  EXPECT_EQ(ToJson(activity),
            R"({"mode":"jit","loadMs":1.234,"tier0Functions":3,"tier0Ms":0.000,)"
            R"("aheadFunctions":2,"aheadMs":0.000,)"
            R"("tier1Functions":0,"tier1Ms":5.000,"imageHits":0,"imageMisses":0})");
  activity.has_image = true;
  EXPECT_THAT(ToJson(activity), StartsWith(R"({"mode":"r2r")"));
}

TEST(Digest, ChangesWithEveryBitAndWithTheSize) {
  const std::string bytes(1001, 'a');
  for (std::size_t i = 0; i < bytes.size(); i += 10) {
    std::string changed = bytes;
    changed[i] ^= 1;
    EXPECT_NE(Digest(bytes), Digest(changed)) << i;
  }
  EXPECT_NE(Digest(std::string(8, '\0')), Digest(std::string(16, '\0')));
  EXPECT_NE(Digest(""), Digest(std::string(1, '\0')));
}

}  // namespace
}  // namespace kelvin::engine
