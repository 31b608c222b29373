#include "cli/file_watch.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

namespace kelvin::cli {
namespace {

std::unexpected<Error> Failed(std::string_view what) {
  return std::unexpected(Error{ErrorCode::kIo, fmt::format("{}: {}", what, std::strerror(errno))});
}

// How many of the two are ready; the time-out is in milliseconds, -1 waits on.
std::expected<int, Error> Poll(std::array<pollfd, 2>& fds, int timeout) {
  for (;;) {
    const int ready = ::poll(fds.data(), fds.size(), timeout);
    if (ready >= 0) return ready;
    if (errno != EINTR) return Failed("cannot wait for changes");
  }
}

}  // namespace

std::expected<FileWatch, Error> FileWatch::Create() {
  UniqueFd events(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!events.valid()) return Failed("cannot watch files");
  UniqueFd stop(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!stop.valid()) return Failed("cannot watch files");
  return FileWatch(std::move(events), std::move(stop));
}

std::expected<bool, Error> FileWatch::Add(const std::filesystem::path& file) {
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  const int watch =
      ::inotify_add_watch(events_.get(), folder.c_str(), IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR);
  if (watch < 0) return Failed(fmt::format("cannot watch the folder {}", folder.native()));
  return names_[watch].insert(file.filename().native()).second;
}

std::expected<bool, Error> FileWatch::ReadEvents() {
  bool concerned = false;
  alignas(inotify_event) std::array<char, 16384> buffer;
  for (;;) {
    const ssize_t size = ::read(events_.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return concerned;
    if (size < 0) return Failed("cannot read what changed");
    for (ssize_t at = 0; at < size;) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof(event));
      const char* const name = buffer.data() + at + sizeof(event);
      const auto watched = names_.find(event.wd);
      const bool lost_some = (event.mask & IN_Q_OVERFLOW) != 0;
      concerned = concerned || lost_some ||
                  (event.len > 0 && watched != names_.end() && watched->second.contains(name));
      at += static_cast<ssize_t>(sizeof(event) + event.len);
    }
  }
}

std::expected<FileWatch::End, Error> FileWatch::Wait(std::chrono::milliseconds quiet) {
  bool changed = false;
  for (;;) {
    std::array<pollfd, 2> fds = {pollfd{events_.get(), POLLIN, 0}, pollfd{stop_.get(), POLLIN, 0}};
    const auto ready = Poll(fds, changed ? static_cast<int>(quiet.count()) : -1);
    if (!ready) return std::unexpected(ready.error());
    if (fds[1].revents != 0) return End::kStopped;
    if (*ready == 0) return End::kChanged;
    const auto concerned = ReadEvents();
    if (!concerned) return std::unexpected(concerned.error());
    changed = changed || *concerned;
  }
}

void FileWatch::Stop() const {
  const std::uint64_t one = 1;
  // Fails only when the count is full: then it has been told already.
  (void)!::write(stop_.get(), &one, sizeof(one));
}

}  // namespace kelvin::cli
