#include "service/log_stream.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace kelvin::service {
namespace {

constexpr std::size_t kTailBytes = 4096;
constexpr std::size_t kLongestLine = 256 * 1024;  // as CloudWatch Logs
constexpr std::size_t kFlushBytes = 64 * 1024;
constexpr std::uint64_t kLargestFile = std::uint64_t{16} << 20;

}  // namespace

LogStream::LogStream(std::filesystem::path file, Sink sink, Log& log)
    : path_(std::move(file)), sink_(std::move(sink)), log_(log) {}

LogStream::~LogStream() {
  EndOutput();
  Flush();
}

void LogStream::Platform(std::string_view line) {
  if (line.empty()) return;
  EndOutput();
  WriteLine(line);
}

void LogStream::Output(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto newline = bytes.find('\n');
    if (newline == bytes.npos) {
      const auto take = bytes.substr(0, kLongestLine - partial_.size());
      partial_.append(take);
      bytes.remove_prefix(take.size());
      if (partial_.size() == kLongestLine) EndOutput();
      continue;
    }
    const auto line = bytes.substr(0, newline);
    bytes.remove_prefix(newline + 1);
    if (partial_.empty()) {
      WriteLine(line);
    } else {
      partial_.append(line);
      EndOutput();
    }
  }
}

void LogStream::EndOutput() {
  if (partial_.empty()) return;
  WriteLine(partial_);
  partial_.clear();
}

void LogStream::WriteLine(std::string_view line) {
  if (sink_) sink_(line);
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
  if (!file_.valid()) {
    std::error_code ignored;
    std::filesystem::create_directories(path_.parent_path(), ignored);
    file_.reset(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    struct stat info{};
    if (!file_.valid()) {
      Complain(ErrnoError(fmt::format("create {}", path_.native()), errno));
    } else if (::fstat(file_.get(), &info) == 0) {
      file_bytes_ = static_cast<std::uint64_t>(info.st_size);
    }
  }
  if (file_.valid()) {
    auto written = WriteAll(file_.get(), unflushed_);
    if (!written) Complain(written.error());
    file_bytes_ += unflushed_.size();
    if (file_bytes_ > kLargestFile) Rotate();
  }
  unflushed_.clear();
}

void LogStream::Rotate() {
  std::filesystem::path older = path_;
  older += ".1";
  std::error_code error;
  std::filesystem::rename(path_, older, error);
  file_.reset();
}

void LogStream::Complain(const Error& error) {
  if (std::exchange(complained_, true)) return;
  log_.Write(LogLevel::kWarn, "service", "a function's log is not kept: {} ({})", error.message,
             path_.native());
}

}  // namespace kelvin::service
