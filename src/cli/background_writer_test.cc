#include "cli/background_writer.h"

#include <array>
#include <sstream>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace kelvin::cli {
namespace {

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{-1, -1};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    read.reset(ends[0]);
    write.reset(ends[1]);
  }
  // Reads until what has come is enough, or the other end is closed.
  template <typename Enough>
  std::string ReadUntil(Enough enough) const {
    std::string text;
    std::array<char, 65536> buffer;
    while (!enough(text)) {
      const ssize_t count = ::read(read.get(), buffer.data(), buffer.size());
      if (count <= 0) break;
      text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return text;
  }
  std::string ReadUntil(const char* wanted) const {
    return ReadUntil([wanted](const std::string& text) { return text.ends_with(wanted); });
  }
  UniqueFd read;
  UniqueFd write;
};

// The lines that are there, and those that are said to have been left out.
int LinesAccountedFor(const std::string& text) {
  int lines = 0;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line) && !stream.eof();) {
    lines += line.starts_with('(') ? std::stoi(line.substr(1)) : 1;
  }
  return lines;
}

TEST(BackgroundWriter, WritesItselfBeforeItIsStarted) {
  const Pipe pipe;
  BackgroundWriter writer(pipe.write.get());
  writer.Write("before\n");
  EXPECT_EQ(pipe.ReadUntil("\n"), "before\n");
}

TEST(BackgroundWriter, KeepsTheOrderOfLines) {
  const Pipe pipe;
  BackgroundWriter writer(pipe.write.get());
  ASSERT_TRUE(writer.Start());
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    const std::string line = std::to_string(i) + '\n';
    writer.Write(line);
    expected += line;
  }
  EXPECT_EQ(pipe.ReadUntil("\n999\n"), expected);
}

TEST(BackgroundWriter, GoesOnWhenNobodyReadsAndCountsWhatItLeavesOut) {
  const Pipe pipe;
  BackgroundWriter writer(pipe.write.get(), 1000);
  ASSERT_TRUE(writer.Start());
  // More than the pipe and the writer's own room take together: this would wait for ever.
  const std::string line = std::string(499, 'x') + '\n';
  for (int i = 0; i < 1000; ++i) writer.Write(line);
  const std::string text =
      pipe.ReadUntil([](const std::string& read) { return LinesAccountedFor(read) >= 1000; });
  EXPECT_EQ(LinesAccountedFor(text), 1000);
  EXPECT_NE(text.find("lines were left out here"), std::string::npos);
  EXPECT_TRUE(text.starts_with(line));
  writer.Write("after\n");
  EXPECT_EQ(pipe.ReadUntil("after\n"), "after\n");
}

TEST(BackgroundWriter, WritesWhatIsWaitingWhenItEnds) {
  Pipe pipe;
  {
    BackgroundWriter writer(pipe.write.get());
    ASSERT_TRUE(writer.Start());
    writer.Write("last\n");
  }
  pipe.write.reset();
  EXPECT_EQ(pipe.ReadUntil("nothing more"), "last\n");
}

TEST(BackgroundWriter, EndsWhenNobodyReads) {
  const Pipe pipe;
  BackgroundWriter writer(pipe.write.get());
  ASSERT_TRUE(writer.Start());
  writer.Write(std::string(500'000, 'x') + '\n');
}  // would wait for ever

TEST(BackgroundWriter, OutlivesItsReader) {
  Pipe pipe;
  BackgroundWriter writer(pipe.write.get());
  ASSERT_TRUE(writer.Start());
  pipe.read.reset();
  writer.Write("to nobody\n");
}  // SIGPIPE would end the test

}  // namespace
}  // namespace kelvin::cli
