#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "service/function_logs.h"

namespace kelvin::service {

// The log of one environment: what its processes print and what the platform adds, line by line,
// in order. Memory and disk stay bounded however much is printed. A full disk costs log lines, and
// is said once. Used from one thread.
class LogStream {
 public:
  using Sink = std::function<void(std::string_view line)>;
  // Who printed a line.
  enum class Source { kFunction, kExtension };
  using Tap = std::function<void(Source source, std::string_view line)>;

  // Appends to the stream `name` of `group`, which are made when there is something to write.
  // `sink`, which may be empty, sees each line without its newline. The references outlive the
  // object.
  LogStream(FunctionLogs& logs, std::string group, std::string name, Sink sink, const Clock& clock,
            Log& log);
  LogStream(LogStream&&) = delete;
  ~LogStream();  // flushes

  // A platform line; an empty one is not written.
  void Platform(std::string_view line);
  // Bytes as a process printed them: lines may come in pieces.
  void Output(std::string_view bytes, Source source = Source::kFunction);
  // Nothing more of the current lines comes.
  void EndOutput();
  // Sees each line that a process printed, from now on; an empty one ends that.
  void set_tap(Tap tap) { tap_ = std::move(tap); }

  // Forgets the tail: an invoke begins.
  void ClearTail();
  // The last 4 KB written since ClearTail.
  std::string_view Tail() const;

  // Hands the store what is held back.
  void Flush();
  bool has_unflushed() const { return !unflushed_.empty(); }

 private:
  void EndOutput(Source source);
  void WriteOutput(Source source, std::string_view line);
  void WriteLine(std::string_view line);
  std::string& partial(Source source) { return partial_[static_cast<std::size_t>(source)]; }
  void Complain(const Error& error);

  FunctionLogs& logs_;
  std::string group_;
  std::string name_;
  Sink sink_;
  Tap tap_;
  const Clock& clock_;
  Log& log_;
  bool complained_ = false;
  std::string unflushed_;
  std::vector<LogEntry> entries_;       // of what is held back
  std::array<std::string, 2> partial_;  // by source
  std::string tail_;                    // up to twice what Tail() shows, so that it is cut seldom
};

}  // namespace kelvin::service
