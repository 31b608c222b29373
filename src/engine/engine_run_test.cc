// The engine on packages made here, within this process: loading, compiling, promoting, images.
#include <cstdlib>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <llvm/AsmParser/Parser.h>
#include <llvm/Bitcode/BitcodeWriter.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/SourceMgr.h>
#include <llvm/Support/raw_ostream.h>

#include "base/file.h"
#include "engine/bitcode.h"
#include "engine/engine.h"
#include "engine/image_code.h"
#include "engine/image_format.h"
#include "engine/instrument.h"
#include "engine/llvm_start.h"

namespace kelvin::engine {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// main gives the sum of 1 to its first argument, which the loop makes hot.
constexpr std::string_view kSum = R"(
@calls = global i32 0
@llvm.global_ctors = appending global [1 x { i32, ptr, ptr }]
  [{ i32, ptr, ptr } { i32 65535, ptr @start, ptr null }]
define void @start() {
  store i32 1000, ptr @calls
  ret void
}
define i32 @add(i32 %a, i32 %b) noinline {
  %c = add i32 %a, %b
  ret i32 %c
}
define i32 @sum(i32 %n) noinline {
entry:
  br label %loop
loop:
  %i = phi i32 [ 0, %entry ], [ %i1, %loop ]
  %s = phi i32 [ 0, %entry ], [ %s1, %loop ]
  %i1 = add i32 %i, 1
  %s1 = call i32 @add(i32 %s, i32 %i1)
  %go = icmp ult i32 %i1, %n
  br i1 %go, label %loop, label %done
done:
  ret i32 %s1
}
define i32 @main(i32 %n, ptr %arguments, ptr %environment) {
  %s = call i32 @sum(i32 %n)
  ret i32 %s
}
define i32 @count() {
  %old = load i32, ptr @calls
  %new = add i32 %old, 1
  store i32 %new, ptr @calls
  ret i32 %new
}
)";

class LinesSink final : public LogSink {
 public:
  void Write(std::string_view line) override { lines += line; }
  std::string lines;
};

class EngineRunTest : public ::testing::Test {
 protected:
  EngineRunTest() { StartLlvm(); }

  void Write(std::string_view assembly) {
    llvm::LLVMContext context;
    llvm::SMDiagnostic why;
    const auto module = llvm::parseAssemblyString(llvm::StringRef(assembly), why, context);
    ASSERT_NE(module, nullptr) << why.getMessage().str();
    module->setTargetTriple(HostTriple());
    bitcode_.clear();
    llvm::raw_string_ostream stream(bitcode_);
    llvm::WriteBitcodeToFile(*module, stream);
    WriteFile("function.bc", bitcode_);
  }

  // Links and seals an image as kelvin_add_function has it done, in mode r2r.
  void WriteImage(const std::vector<std::string>& left_out) {
    llvm::LLVMContext context;
    auto module = ReadBitcode("function.bc", bitcode_, context);
    ASSERT_TRUE(module.has_value()) << module.error().message;
    ASSERT_FALSE((*module)->materializeAll());
    const auto object = MakeImageObject(**module, BaselineCpu(), left_out);
    ASSERT_TRUE(object.has_value()) << object.error().message;
    WriteFile("function.o", {object->data(), object->size()});
    const std::string folder = folder_.path().native();
    const std::string link = fmt::format(
        "{} -shared -e kelvin_image -z now -z noexecstack --eh-frame-hdr {}/function.o -o "
        "{}/function.image",
        KELVIN_LLD, folder, folder);
    ASSERT_EQ(std::system(link.c_str()), 0);
    image_ = ReadFile(folder_.path() / "function.image").value();
    ImageSeal seal;
    std::string_view(kBaselineCpu).copy(seal.cpu, sizeof seal.cpu - 1);
    seal.bitcode = Digest(bitcode_);
    seal.object = Digest(image_);
    image_.append(reinterpret_cast<const char*>(&seal), sizeof seal);
    WriteFile("function.image", image_);
  }

  void WriteFile(const char* name, std::string_view content) {
    ASSERT_TRUE(WriteFileAtomically(folder_.path() / name, content).has_value());
  }

  std::expected<Engine::Main, Error> Load(bool compile_ahead = true) {
    const Logger log({.sink = &log_, .clock = &clock_});
    engine_.emplace(exports_, CodeMemory::Reserve().value(), clock_, log,
                    EngineOptions{.package = folder_.path(), .compile_ahead = compile_ahead});
    return engine_->Load(clock_.Now());
  }

  // Runs main until `count` functions have been optimised: that happens on the engine's thread.
  void RunUntilOptimized(Engine::Main main, std::uint32_t count) {
    while (engine_->activity().optimized_functions < count) {
      ASSERT_EQ(main(1000, nullptr, nullptr), 500500);
      std::this_thread::yield();
    }
    EXPECT_EQ(main(1000, nullptr, nullptr), 500500);
  }

  TemporaryDirectory folder_ = TemporaryDirectory::Create().value();
  SystemClock clock_;
  LinesSink log_;
  Exports exports_;
  std::string bitcode_;
  std::string image_;
  std::optional<Engine> engine_;
};

TEST_F(EngineRunTest, CompilesAheadRunsInitialisersAndPromotesWhatIsHot) {
  Write(kSum);
  const auto main = Load();
  ASSERT_TRUE(main.has_value()) << main.error().message;
  EXPECT_EQ((*main)(10, nullptr, nullptr), 55);
  const Activity before = engine_->activity();
  EXPECT_EQ(before.ahead_functions, 4U);
  EXPECT_EQ(before.quick_functions, 4U);
  RunUntilOptimized(*main, 2);
}

TEST_F(EngineRunTest, CompilesAtTheFirstCallFromManyThreadsAndPromotesMeanwhile) {
  Write(kSum);
  const auto main = Load(/*compile_ahead=*/false);
  ASSERT_TRUE(main.has_value()) << main.error().message;
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 1; n <= 300; ++n) wrong += (*main)(n, nullptr, nullptr) != n * (n + 1) / 2;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(engine_->activity().ahead_functions, 0U);
  EXPECT_EQ(engine_->activity().quick_functions, 4U);
  RunUntilOptimized(*main, 2);
}

TEST_F(EngineRunTest, RunsAnImageCompilesWhatItLacksAndPromotesWhatIsHot) {
  Write(kSum);
  WriteImage({"add"});
  const auto main = Load();
  ASSERT_TRUE(main.has_value()) << main.error().message;
  EXPECT_EQ((*main)(10, nullptr, nullptr), 55);
  const Activity activity = engine_->activity();
  EXPECT_TRUE(activity.has_image) << log_.lines;
  EXPECT_EQ(activity.ahead_functions, 0U);
  EXPECT_EQ(activity.image_misses, activity.quick_functions);
  EXPECT_GE(activity.image_hits, 2U);
  RunUntilOptimized(*main, 1);
}

TEST_F(EngineRunTest, FallsBackToBitcodeFromImagesThatDoNotFit) {
  Write(kSum);
  WriteImage({});
  const std::string whole = image_;
  for (std::size_t size = 0; size < whole.size(); size += 97) {
    WriteFile("function.image", std::string_view(whole).substr(0, size));
    const auto main = Load();
    ASSERT_TRUE(main.has_value()) << main.error().message;
    EXPECT_EQ((*main)(10, nullptr, nullptr), 55);
    EXPECT_FALSE(engine_->activity().has_image) << size;
  }
  EXPECT_THAT(log_.lines, AllOf(HasSubstr("function.image is not used"), HasSubstr("cut short")));
  std::string damaged = whole;
  damaged[whole.size() / 3] ^= 1;
  WriteFile("function.image", damaged);
  ASSERT_TRUE(Load().has_value());
  EXPECT_FALSE(engine_->activity().has_image);
  EXPECT_THAT(log_.lines, HasSubstr("it is damaged"));
}

TEST_F(EngineRunTest, RefusesBitcodeThatItCannotRun) {
  Write(kSum);
  const std::string whole = bitcode_;
  for (std::size_t size = 0; size < whole.size(); size += 53) {
    WriteFile("function.bc", std::string_view(whole).substr(0, size));
    const auto main = Load();
    ASSERT_FALSE(main.has_value()) << size;
    EXPECT_EQ(main.error().code, ErrorCode::kCorrupt) << size << ' ' << main.error().message;
  }
  Write("define i32 @other() { ret i32 1 }");
  EXPECT_THAT(Load().error().message, HasSubstr("expected a function main"));
}

TEST_F(EngineRunTest, LoadsModulesWhileItRuns) {
  Write(kSum);
  ASSERT_TRUE(Load().has_value());
  WriteFile("plugin.bc", bitcode_);
  const auto module = engine_->LoadModule("plugin.bc");
  ASSERT_TRUE(module.has_value()) << module.error().message;
  using Count = int();
  auto* const count = reinterpret_cast<Count*>(engine_->FindInModule(*module, "count"));
  ASSERT_NE(count, nullptr);
  EXPECT_EQ(count(), 1001);
  EXPECT_EQ(count(), 1002);
  EXPECT_EQ(engine_->FindInModule(*module, "none"), nullptr);
  WriteFile("plugin.bc", "text");
  EXPECT_EQ(engine_->LoadModule("plugin.bc").error().type, "Runtime.BadModule");
}

TEST(CheckSeal, NamesWhatDoesNotFit) {
  ImageSeal seal;
  const auto check = [&](std::string_view object = "object") {
    std::string file = "object";
    seal.object = Digest(object);
    file.append(reinterpret_cast<const char*>(&seal), sizeof seal);
    const auto checked = CheckSeal(file, BuildId{7}, "bitcode");
    return checked ? std::string(*checked) : checked.error().message;
  };
  EXPECT_THAT(check(), HasSubstr("made for the engine 0000"));
  seal.engine = BuildId{7};
  EXPECT_THAT(check(), HasSubstr("needs the CPU"));
  std::string_view(kBaselineCpu).copy(seal.cpu, sizeof seal.cpu - 1);
  EXPECT_THAT(check(), HasSubstr("another function.bc"));
  seal.bitcode = Digest("bitcode");
  EXPECT_THAT(check("other"), HasSubstr("damaged"));
  EXPECT_EQ(check(), "object");
  seal.magic[0] = 'X';
  EXPECT_THAT(check(), HasSubstr("no image"));
  EXPECT_THAT(CheckSeal("short", BuildId{}, "").error().message, HasSubstr("cut short"));
}

}  // namespace
}  // namespace kelvin::engine
