#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/log.h"

namespace kelvin::service {

// The log of one environment: what its processes print and what the platform adds, line by line,
// in order. Memory and disk stay bounded however much is printed. A full disk costs log lines, and
// is said once. Used from one thread.
class LogStream {
 public:
  using Sink = std::function<void(std::string_view line)>;

  // Appends to `file`, whose folder is made; when it has grown large it becomes `file`.1, and the
  // one before that goes. `sink`, which may be empty, sees each line without its newline. `log`
  // outlives the object.
  LogStream(std::filesystem::path file, Sink sink, Log& log);
  LogStream(LogStream&&) = delete;
  ~LogStream();  // flushes

  // A platform line; an empty one is not written.
  void Platform(std::string_view line);
  // Bytes as a process printed them: lines may come in pieces.
  void Output(std::string_view bytes);
  // Nothing more of the current line comes.
  void EndOutput();

  // Forgets the tail: an invoke begins.
  void ClearTail();
  // The last 4 KB written since ClearTail.
  std::string_view Tail() const;

  // Hands the file what is held back.
  void Flush();
  bool has_unflushed() const { return !unflushed_.empty(); }

 private:
  void WriteLine(std::string_view line);
  void Rotate();
  void Complain(const Error& error);

  std::filesystem::path path_;
  Sink sink_;
  Log& log_;
  UniqueFd file_;
  std::uint64_t file_bytes_ = 0;
  bool complained_ = false;
  std::string unflushed_;
  std::string partial_;
  std::string tail_;  // up to twice what Tail() shows, so that it is cut seldom
};

}  // namespace kelvin::service
