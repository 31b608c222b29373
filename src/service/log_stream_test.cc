#include "service/log_stream.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fake_clock.h"

namespace kelvin::service {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

class LogStreamTest : public ::testing::Test {
 protected:
  TemporaryDirectory folder_ = TemporaryDirectory::Create().value();
  FakeClock clock_;
  std::unique_ptr<LogStore> store_ = LogStore::Open(folder_.path(), clock_).value();
  FunctionLogs logs_{*store_};
  std::string logged_;
  Log log_{clock_, LogLevel::kInfo, [this](std::string_view line) { logged_ += line; }};
  std::vector<std::string> lines_;
};

TEST_F(LogStreamTest, PutsLinesTogetherFromPieces) {
  LogStream stream(
      logs_, "g", "s", [this](std::string_view line) { lines_.emplace_back(line); }, clock_, log_);
  stream.Output("one\ntw");
  stream.Output("o\n\nthree");
  stream.Platform("END");
  EXPECT_THAT(lines_, ElementsAre("one", "two", "", "three", "END"));
}

TEST_F(LogStreamTest, KeepsTheLinesOfFunctionsAndExtensionsApart) {
  using Source = LogStream::Source;
  std::vector<std::string> tapped;
  LogStream stream(
      logs_, "g", "s", [this](std::string_view line) { lines_.emplace_back(line); }, clock_, log_);
  stream.set_tap([&](Source source, std::string_view line) {
    tapped.push_back((source == Source::kExtension ? "e " : "f ") + std::string(line));
  });
  stream.Output("one ");
  stream.Output("beside\n", Source::kExtension);
  stream.Output("line\nleft over");
  stream.Platform("END");
  EXPECT_THAT(lines_, ElementsAre("beside", "one line", "left over", "END"));
  EXPECT_THAT(tapped, ElementsAre("e beside", "f one line", "f left over"));
}

TEST_F(LogStreamTest, CutsLinesWithoutAnEnd) {
  LogStream stream(
      logs_, "g", "s", [this](std::string_view line) { lines_.emplace_back(line); }, clock_, log_);
  stream.Output(std::string(300 * 1024, 'x'));
  stream.EndOutput();
  ASSERT_EQ(lines_.size(), 2u);
  EXPECT_EQ(lines_[0].size(), 256u * 1024);
}

TEST_F(LogStreamTest, ShowsTheLastFourKilobytes) {
  LogStream stream(logs_, "g", "s", {}, clock_, log_);
  stream.Platform("before");
  stream.ClearTail();
  stream.Platform("after");
  EXPECT_EQ(stream.Tail(), "after\n");
  for (int i = 0; i < 1000; ++i) stream.Platform("0123456789");
  stream.Platform("last");
  EXPECT_EQ(stream.Tail().size(), 4096u);
  EXPECT_THAT(std::string(stream.Tail()), EndsWith("0123456789\nlast\n"));
  stream.Platform(std::string(10'000, 'y'));
  EXPECT_EQ(stream.Tail(), std::string(4095, 'y') + "\n");
}

TEST_F(LogStreamTest, AppendsToItsFile) {
  {
    LogStream stream(logs_, "g", "s", {}, clock_, log_);
    stream.Output("one\n");
    stream.Flush();
    stream.Output("two");
  }
  EXPECT_EQ(ReadFile(folder_.path() / "g" / "s.log").value(), "one\ntwo\n");
}

TEST_F(LogStreamTest, KeepsTheFileBounded) {
  LogStream stream(logs_, "g", "s", {}, clock_, log_);
  const std::string line(1 << 20, 'x');
  for (int i = 0; i < 40; ++i) stream.Platform(line);
  stream.Flush();
  std::uintmax_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path() / "g")) {
    bytes += entry.file_size();
  }
  EXPECT_LE(bytes, std::uintmax_t{36} << 20);
}

TEST_F(LogStreamTest, SaysOnceThatItCannotWrite) {
  std::filesystem::remove_all(folder_.path());
  std::ofstream(folder_.path()) << "no folder";
  LogStream stream(logs_, "g", "s", {}, clock_, log_);
  stream.Platform("a");
  stream.Flush();
  const std::string once = logged_;
  EXPECT_THAT(once, HasSubstr("a function's log is not kept"));
  stream.Platform("b");
  stream.Flush();
  EXPECT_EQ(logged_, once);
}

TEST_F(LogStreamTest, TakesJsonDocumentsThatComeTogetherApart) {
  LogStream stream(
      logs_, "g", "s", [this](std::string_view line) { lines_.emplace_back(line); }, clock_, log_);
  stream.Platform("{\"a\":1}\n{\"b\":2}");
  stream.Platform("REPORT\nXRAY");
  EXPECT_THAT(lines_, ElementsAre("{\"a\":1}", "{\"b\":2}", "REPORT\nXRAY"));
}

}  // namespace
}  // namespace kelvin::service
