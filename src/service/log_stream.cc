#include "service/log_stream.h"

#include <utility>

#include "service/epoch.h"

namespace kelvin::service {
namespace {

constexpr std::size_t kTailBytes = 4096;
constexpr std::size_t kLongestLine = 256 * 1024;  // as CloudWatch Logs
constexpr std::size_t kFlushBytes = 64 * 1024;
constexpr std::size_t kKeptBytes = 1024;

}  // namespace

void FunctionLogs::Flush() {
  for (LogStream* const stream : live_) stream->Flush();
}

LogStream::LogStream(FunctionLogs& logs, std::string group, std::string name, Sink sink,
                     const Clock& clock, Log& log)
    : logs_(logs),
      group_(std::move(group)),
      name_(std::move(name)),
      sink_(std::move(sink)),
      clock_(clock),
      log_(log) {
  logs_.live_.insert(this);
}

LogStream::~LogStream() {
  logs_.live_.erase(this);
  EndOutput();
  Flush();
}

void LogStream::Platform(std::string_view line) {
  if (line.empty()) return;
  EndOutput();
  // JSON documents that come together are events of their own.
  for (std::size_t next; (next = line.find("\n{")) != line.npos; line.remove_prefix(next + 1)) {
    WriteLine(line.substr(0, next));
  }
  WriteLine(line);
}

void LogStream::Output(std::string_view bytes, Source source) {
  std::string& begun = partial(source);
  while (!bytes.empty()) {
    const auto newline = bytes.find('\n');
    if (newline == bytes.npos) {
      const auto take = bytes.substr(0, kLongestLine - begun.size());
      begun.append(take);
      bytes.remove_prefix(take.size());
      if (begun.size() == kLongestLine) EndOutput(source);
      continue;
    }
    const auto line = bytes.substr(0, newline);
    bytes.remove_prefix(newline + 1);
    if (begun.empty()) {
      WriteOutput(source, line);
    } else {
      begun.append(line);
      EndOutput(source);
    }
  }
}

void LogStream::EndOutput() {
  EndOutput(Source::kFunction);
  EndOutput(Source::kExtension);
}

void LogStream::EndOutput(Source source) {
  std::string& begun = partial(source);
  if (begun.empty()) return;
  WriteOutput(source, begun);
  begun.clear();
}

void LogStream::WriteOutput(Source source, std::string_view line) {
  if (tap_) tap_(source, line);
  WriteLine(line);
}

void LogStream::WriteLine(std::string_view line) {
  if (sink_) sink_(line);
  entries_.push_back({.time_ms = EpochMilliseconds(clock_.WallNow()),
                      .offset = static_cast<std::uint32_t>(unflushed_.size()),
                      .size = static_cast<std::uint32_t>(line.size() + 1)});
  unflushed_.append(line).push_back('\n');
  const auto kept = line.size() > kTailBytes ? line.substr(line.size() - kTailBytes) : line;
  if (tail_.size() + kept.size() + 1 > 2 * kTailBytes) {
    tail_.erase(0, tail_.size() - std::min(tail_.size(), kTailBytes));
  }
  tail_.append(kept).push_back('\n');
  if (unflushed_.size() >= kFlushBytes) Flush();
}

void LogStream::ClearTail() {
  tail_.clear();
}

std::string_view LogStream::Tail() const {
  const std::string_view all = tail_;
  return all.size() > kTailBytes ? all.substr(all.size() - kTailBytes) : all;
}

void LogStream::Flush() {
  if (unflushed_.empty()) return;
  auto kept = logs_.store().Append(group_, name_, unflushed_, entries_);
  if (!kept) Complain(kept.error());
  unflushed_.clear();
  entries_.clear();
  // What a busy moment took is not kept through idle ones.
  if (unflushed_.capacity() > kKeptBytes) unflushed_.shrink_to_fit();
  if (entries_.capacity() * sizeof(LogEntry) > kKeptBytes) entries_.shrink_to_fit();
}

void LogStream::Complain(const Error& error) {
  if (std::exchange(complained_, true)) return;
  log_.Write(LogLevel::kWarn, "service", "a function's log is not kept: {} ({})", error.message,
             group_);
}

}  // namespace kelvin::service
