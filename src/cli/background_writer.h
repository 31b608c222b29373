#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "base/file.h"

namespace kelvin::cli {

// Writes lines to a descriptor from a thread of its own, so that a reader who has stopped reading
// (a paused terminal, a full pipe) never holds up who writes. Lines that come within a few
// milliseconds go out together, so that the thread is not woken for each. Lines beyond `capacity`
// bytes are left out and counted, and the count is written once there is room again. Thread-safe.
// Does not own the descriptor, which outlives the object.
class BackgroundWriter {
 public:
  explicit BackgroundWriter(int fd, std::size_t capacity = std::size_t{1} << 20);
  BackgroundWriter(const BackgroundWriter&) = delete;
  BackgroundWriter& operator=(const BackgroundWriter&) = delete;
  // Writes what the reader takes at once, and leaves out the rest.
  ~BackgroundWriter();

  // Starts the thread. Until then Write writes itself, and may wait.
  // Fails with kIo when the process has no descriptors left.
  std::expected<void, Error> Start();
  // `line` ends in a line feed.
  void Write(std::string_view line);

 private:
  void Run();
  bool WaitForRoom();  // false: the object is ending and the reader does not read
  // A piece that a pipe or terminal which poll calls writable takes without waiting.
  bool WritePiece(std::string_view& text);
  std::optional<std::string> Take();  // waits for lines; nothing: the object is ending

  const int fd_;
  const std::size_t capacity_;
  UniqueFd stop_;  // an eventfd, readable once the object is ending
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string waiting_;
  std::uint64_t left_out_ = 0;
  bool ending_ = false;
  bool gathering_ = false;  // the thread will look again by itself, soon
  std::thread thread_;
};

}  // namespace kelvin::cli
