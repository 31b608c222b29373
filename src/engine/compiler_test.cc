#include "engine/compiler.h"

#include <array>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <llvm/AsmParser/Parser.h>
#include <llvm/Bitcode/BitcodeWriter.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/SourceMgr.h>
#include <llvm/Support/raw_ostream.h>

#include "engine/bitcode.h"
#include "engine/entry_code.h"
#include "engine/instrument.h"
#include "engine/specials.h"

namespace kelvin::engine {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

constexpr std::string_view kProgram = R"(
@shared = global i32 40
@llvm.global_ctors = appending global [2 x { i32, ptr, ptr }] [
  { i32, ptr, ptr } { i32 200, ptr @later, ptr null },
  { i32, ptr, ptr } { i32 100, ptr @first, ptr null }]
define void @later() { ret void }
define void @first() { ret void }
define i32 @next() {
  %old = load i32, ptr @shared
  %new = add i32 %old, 1
  store i32 %new, ptr @shared
  ret i32 %new
}
define i32 @twice() {
  %a = call i32 @next()
  %b = call i32 @next()
  ret i32 %b
}
define i32 @sum(i32 %n) {
entry:
  br label %loop
loop:
  %i = phi i32 [ 0, %entry ], [ %i1, %loop ]
  %s = phi i32 [ 0, %entry ], [ %s1, %loop ]
  %i1 = add i32 %i, 1
  %s1 = add i32 %s, %i1
  %go = icmp ult i32 %i1, %n
  br i1 %go, label %loop, label %done
done:
  ret i32 %s1
}
)";

std::string Bitcode(std::string_view assembly) {
  llvm::LLVMContext context;
  llvm::SMDiagnostic why;
  auto module = llvm::parseAssemblyString(llvm::StringRef(assembly), why, context);
  EXPECT_NE(module, nullptr) << why.getMessage().str();
  module->setTargetTriple(HostTriple());
  std::string bytes;
  llvm::raw_string_ostream stream(bytes);
  llvm::WriteBitcodeToFile(*module, stream);
  return bytes;
}

thread_local std::int32_t* hot_counter = nullptr;
void NoteHot(std::int32_t* counter) {
  hot_counter = counter;
}

extern "C" void _Unwind_Resume(void* exception);

std::optional<std::uint64_t> KnownToTests(std::string_view name) {
  if (name == kHotFunction) return reinterpret_cast<std::uint64_t>(&NoteHot);
  if (name == "_Unwind_Resume") return reinterpret_cast<std::uint64_t>(&_Unwind_Resume);
  return std::nullopt;
}

class CompilerTest : public ::testing::Test {
 protected:
  void Open(std::string_view assembly) {
    bitcode_ = Bitcode(assembly);
    auto opened = Compiler::Open("test.bc", bitcode_, memory_, KnownToTests);
    if (!opened) {
      error_ = opened.error();
      return;
    }
    compiler_ = std::move(*opened);
    slots_ = {reinterpret_cast<std::uint64_t*>(memory_.AllocateData(kSlots * 8, 8).value()),
              kSlots};
    compiler_->Place({.stubs = MakeStubs(memory_, slots_).value(), .counters = counters_});
  }

  // Compiles the function and has its stub lead there.
  template <typename F>
  F* Compile(const char* name, Tier tier) {
    const auto number = compiler_->IndexOf(name);
    EXPECT_TRUE(number.has_value()) << name;
    const auto code = compiler_->Compile(*number, tier);
    EXPECT_TRUE(code.has_value()) << (code ? "" : code.error().message);
    EXPECT_TRUE(code->entry >= code->start && code->entry < code->end);
    slots_[*number] = code->entry;
    return reinterpret_cast<F*>(code->entry);
  }
  std::int32_t& CounterOf(const char* name) { return counters_[*compiler_->IndexOf(name)]; }

  static constexpr std::size_t kSlots = 16;
  CodeMemory memory_ = CodeMemory::Reserve().value();
  std::string bitcode_;
  Error error_;
  std::unique_ptr<Compiler> compiler_;
  std::span<std::uint64_t> slots_;
  std::array<std::int32_t, kSlots> counters_{};
};

TEST_F(CompilerTest, KnowsTheModulesFunctions) {
  Open(kProgram);
  EXPECT_THAT(compiler_->functions(), ElementsAre("later", "first", "next", "twice", "sum"));
  EXPECT_THAT(compiler_->initializers(), ElementsAre(1, 0));
  EXPECT_EQ(compiler_->variable_count(), 1U);
  EXPECT_FALSE(compiler_->IndexOf("main").has_value());
}

TEST_F(CompilerTest, BothTiersShareTheModulesVariables) {
  Open(kProgram);
  // The optimised code comes first: it needs a variable that no quick code has placed.
  auto* const optimized = Compile<int()>("next", Tier::kOptimized);
  EXPECT_EQ(optimized(), 41);
  auto* const quick = Compile<int()>("next", Tier::kQuick);
  EXPECT_EQ(quick(), 42);
  EXPECT_EQ(optimized(), 43);
}

TEST_F(CompilerTest, CallsGoByWayOfTheStubs) {
  Open(kProgram);
  auto* const twice = Compile<int()>("twice", Tier::kQuick);
  Compile<int()>("next", Tier::kQuick);
  EXPECT_EQ(twice(), 42);
  EXPECT_EQ(CounterOf("next"), 2 * kCallWeight);
  slots_[*compiler_->IndexOf("next")] = reinterpret_cast<std::uint64_t>(+[] { return 7; });
  EXPECT_EQ(twice(), 7);
}

TEST_F(CompilerTest, QuickCodeTellsWhenItIsHot) {
  Open(kProgram);
  auto* const sum = Compile<int(int)>("sum", Tier::kQuick);
  hot_counter = nullptr;
  EXPECT_EQ(sum(100), 5050);
  EXPECT_EQ(hot_counter, nullptr);
  EXPECT_EQ(CounterOf("sum"), 100 + kCallWeight);
  sum(kHotCount);
  EXPECT_EQ(hot_counter, &CounterOf("sum"));
}

TEST_F(CompilerTest, OptimizedCodeGivesTheSameAndCountsNothing) {
  Open(kProgram);
  auto* const sum = Compile<int(int)>("sum", Tier::kOptimized);
  EXPECT_EQ(sum(100), 5050);
  EXPECT_EQ(CounterOf("sum"), 0);
}

TEST_F(CompilerTest, TwoThreadsCompileInTheTwoTiersAtOnce) {
  Open(kProgram);
  std::thread optimizer([this] {
    for (const std::uint32_t number : {2U, 3U, 4U}) {
      EXPECT_TRUE(compiler_->Compile(number, Tier::kOptimized).has_value());
    }
  });
  for (const std::uint32_t number : {4U, 3U, 2U, 1U, 0U}) {
    EXPECT_TRUE(compiler_->Compile(number, Tier::kQuick).has_value());
  }
  optimizer.join();
}

TEST_F(CompilerTest, OptimizedCodeSeesConstantsBehindConstants) {
  std::string text = "@last = constant i32 7\n";
  std::string previous = "last";
  for (int i = 0; i < 50; ++i) {
    const std::string name = "link" + std::to_string(i);
    text += "@" + name + " = constant ptr @" + previous + "\n";
    previous = name;
  }
  text += "define ptr @head() { %p = load ptr, ptr @" + previous + " ret ptr %p }\n";
  Open(text);
  const void* link = Compile<const void*()>("head", Tier::kOptimized)();
  for (int i = 0; i < 49; ++i) link = *static_cast<const void* const*>(link);
  EXPECT_EQ(*static_cast<const int*>(link), 7);
}

// main calls what it calls; the other functions are behind a throw, in a handler of exceptions,
// only reached by a table, or not called at all.
constexpr std::string_view kStart = R"(
@table = constant [2 x ptr] [ptr @by_table, ptr @next]
@shared = global i32 40
declare void @kelvin_engine_hot(ptr)
define i32 @never() { ret i32 1 }
define i32 @when_it_throws() { ret i32 2 }
define i32 @when_it_handles() { ret i32 3 }
define i32 @by_table() { ret i32 4 }
define i32 @next() {
  %old = load i32, ptr @shared
  %new = add i32 %old, 1
  store i32 %new, ptr @shared
  ret i32 %new
}
define i32 @main(i32 %x) personality ptr @kelvin_engine_hot {
  %bad = icmp eq i32 %x, 0
  br i1 %bad, label %fail, label %good
fail:
  %a = call i32 @when_it_throws()
  unreachable
good:
  %b = invoke i32 @next() to label %done unwind label %handle
handle:
  %pad = landingpad { ptr, i32 } cleanup
  %c = call i32 @when_it_handles()
  resume { ptr, i32 } %pad
done:
  %entry = load ptr, ptr @table
  %d = call i32 %entry()
  %sum = add i32 %b, %d
  ret i32 %sum
}
)";

std::vector<std::string> NamesOf(const Compiler& compiler,
                                 const std::vector<Compiler::Ahead>& made) {
  std::vector<std::string> names;
  for (const auto& ahead : made) names.push_back(compiler.functions()[ahead.function]);
  return names;
}

TEST_F(CompilerTest, CompilesAheadWhatARunThatGoesWellCalls) {
  Open(kStart);
  const auto made = compiler_->CompileAhead(1000);
  ASSERT_TRUE(made.has_value()) << made.error().message;
  EXPECT_THAT(NamesOf(*compiler_, *made), UnorderedElementsAre("main", "next", "by_table"));
  for (const auto& ahead : *made) {
    EXPECT_TRUE(ahead.code.entry == ahead.code.start && ahead.code.start < ahead.code.end);
    slots_[ahead.function] = ahead.code.entry;
  }
  EXPECT_EQ(reinterpret_cast<int (*)(int)>(slots_[*compiler_->IndexOf("main")])(1), 45);
  EXPECT_EQ(CounterOf("next"), kCallWeight);
}

TEST_F(CompilerTest, CompilesTheRestAfterwardsWithTheSameVariables) {
  Open(kStart);
  const auto made = compiler_->CompileAhead(1000);
  ASSERT_TRUE(made.has_value()) << made.error().message;
  for (const auto& ahead : *made) slots_[ahead.function] = ahead.code.entry;
  EXPECT_EQ(reinterpret_cast<int (*)(int)>(slots_[*compiler_->IndexOf("main")])(1), 45);
  EXPECT_EQ(Compile<int()>("never", Tier::kQuick)(), 1);
  EXPECT_EQ(Compile<int()>("next", Tier::kOptimized)(), 42);
}

TEST_F(CompilerTest, CompilesAheadNoMoreThanItMay) {
  Open(kStart);
  const auto made = compiler_->CompileAhead(12);
  ASSERT_TRUE(made.has_value()) << made.error().message;
  EXPECT_THAT(NamesOf(*compiler_, *made), ElementsAre("main"));
  EXPECT_EQ(Compile<int()>("next", Tier::kQuick)(), 41);
}

TEST_F(CompilerTest, NamesWhatNobodyHas) {
  Open(
      "declare i32 @_Z4lostv()\n@gone = external global i32\n"
      "define i32 @main() { %a = call i32 @_Z4lostv() %b = load i32, ptr @gone ret i32 %a }");
  EXPECT_EQ(error_.code, ErrorCode::kNotFound);
  EXPECT_THAT(error_.message, AllOf(HasSubstr("lost()"), HasSubstr("gone")));
}

}  // namespace
}  // namespace kelvin::engine
