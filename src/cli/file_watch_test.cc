#include "cli/file_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kelvin::cli {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class FileWatchTest : public ::testing::Test {
 protected:
  void Write(std::string_view name) {
    ASSERT_TRUE(WriteFileAtomically(folder_.path() / name, "x").has_value());
  }
  // A change that does not concern the watch would leave Wait waiting, but for the Stop.
  FileWatch::End WaitOrStop() {
    watch_.Stop();
    return watch_.Wait(0ms).value();
  }

  TemporaryDirectory folder_ = TemporaryDirectory::Create().value();
  FileWatch watch_ = FileWatch::Create().value();
};

TEST_F(FileWatchTest, TellsThatAFileWasReplaced) {
  Write("a");
  ASSERT_TRUE(watch_.Add(folder_.path() / "a").value());
  Write("a");
  EXPECT_EQ(watch_.Wait(0ms), FileWatch::End::kChanged);
}

TEST_F(FileWatchTest, TellsThatAFileWasMade) {
  ASSERT_TRUE(watch_.Add(folder_.path() / "a").value());
  Write("a");
  EXPECT_EQ(watch_.Wait(1ms), FileWatch::End::kChanged);
}

TEST_F(FileWatchTest, LeavesOtherFilesOfTheFolderAlone) {
  ASSERT_TRUE(watch_.Add(folder_.path() / "a").value());
  Write("b");
  EXPECT_EQ(WaitOrStop(), FileWatch::End::kStopped);
}

TEST_F(FileWatchTest, KnowsWhatItWatchesAlready) {
  EXPECT_TRUE(watch_.Add(folder_.path() / "a").value());
  EXPECT_FALSE(watch_.Add(folder_.path() / "a").value());
  EXPECT_TRUE(watch_.Add(folder_.path() / "b").value());
}

TEST_F(FileWatchTest, NamesAFolderThatIsMissing) {
  const auto added = watch_.Add(folder_.path() / "none/a");
  ASSERT_FALSE(added.has_value());
  EXPECT_THAT(added.error().message, HasSubstr("none: No such file or directory"));
}

}  // namespace
}  // namespace kelvin::cli
