#include "cli/background_writer.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <csignal>
#include <utility>

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace kelvin::cli {

namespace {

constexpr std::chrono::milliseconds kGathering{5};

}  // namespace

BackgroundWriter::BackgroundWriter(int fd, std::size_t capacity) : fd_(fd), capacity_(capacity) {}

BackgroundWriter::~BackgroundWriter() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  (void)::eventfd_write(stop_.get(), 1);
  thread_.join();
}

std::expected<void, Error> BackgroundWriter::Start() {
  stop_.reset(::eventfd(0, EFD_CLOEXEC));
  if (!stop_.valid()) return std::unexpected(ErrnoError("make an eventfd", errno));
  thread_ = std::thread([this] { Run(); });
  return {};
}

void BackgroundWriter::Write(std::string_view line) {
  if (!thread_.joinable()) {
    (void)WriteAll(fd_, line);
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() + line.size() > capacity_) {
      ++left_out_;
      return;
    }
    waiting_ += line;
    if (gathering_ && waiting_.size() < capacity_ / 2) return;
    gathering_ = true;
  }
  changed_.notify_one();
}

std::optional<std::string> BackgroundWriter::Take() {
  std::unique_lock lock(mutex_);
  gathering_ = false;
  changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
  gathering_ = true;
  changed_.wait_for(lock, kGathering,
                    [this] { return ending_ || waiting_.size() >= capacity_ / 2; });
  if (waiting_.empty()) return std::nullopt;
  std::string text = std::exchange(waiting_, {});
  if (const std::uint64_t count = std::exchange(left_out_, 0); count > 0) {
    text += fmt::format("({} {} left out here, since nobody read this output)\n", count,
                        count == 1 ? "line was" : "lines were");
  }
  return text;
}

bool BackgroundWriter::WaitForRoom() {
  while (true) {
    std::array<pollfd, 2> watched{pollfd{.fd = fd_, .events = POLLOUT, .revents = 0},
                                  pollfd{.fd = stop_.get(), .events = POLLIN, .revents = 0}};
    if (::poll(watched.data(), watched.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    if (watched[0].revents != 0) return true;
    if (watched[1].revents != 0) return false;
  }
}

bool BackgroundWriter::WritePiece(std::string_view& text) {
  const ssize_t written = ::write(fd_, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
  if (written < 0) return errno == EINTR || errno == EAGAIN;
  text.remove_prefix(static_cast<std::size_t>(written));
  return true;
}

void BackgroundWriter::Run() {
  // A reader who has gone must not end the process: with the signal blocked, write says EPIPE.
  sigset_t broken_pipe;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
  while (const auto taken = Take()) {
    std::string_view text = *taken;
    while (!text.empty()) {
      if (!WaitForRoom()) return;
      if (!WritePiece(text)) break;  // the reader is gone: what comes later may find another
    }
  }
}

}  // namespace kelvin::cli
