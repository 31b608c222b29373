#include "sandbox/memory_alarm.h"

#include <array>
#include <charconv>
#include <memory>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace kelvin::sandbox {
namespace {

UniqueFd Open(const std::filesystem::path& path, int flags) {
  return UniqueFd(::open(path.c_str(), flags | O_CLOEXEC));
}

UniqueFd NewEvent() {
  return UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

void Forget(int event) {
  std::array<char, 512> ignored;
  (void)!::pread(event, ignored.data(), ignored.size(), 0);
}

std::uint64_t NumberIn(const UniqueFd& file) {
  std::array<char, 32> text{};
  const ssize_t count = ::pread(file.get(), text.data(), text.size(), 0);
  std::uint64_t number = 0;
  if (count > 0) std::from_chars(text.data(), text.data() + count, number);
  return number;
}

// A threshold of cgroup v1, with files of its own so that it needs nobody to outlive it.
struct Threshold {
  UniqueFd event;
  UniqueFd usage;
  UniqueFd control;
  std::uint64_t bytes = 0;

  void Set() const {
    const std::string text = fmt::format("{} {} {}", event.get(), usage.get(), bytes);
    (void)!::write(control.get(), text.data(), text.size());
    if (NumberIn(usage) >= bytes) (void)::eventfd_write(event.get(), 1);  // as the kernel would
  }
};

UniqueFd Copy(const UniqueFd& fd) {
  return UniqueFd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
}

// The kernel waits for every CPU, some 10 ms, before a threshold is set: neither the start of a
// function nor the service waits with it.
void SetInBackground(Threshold threshold) {
  const auto kept = std::make_shared<const Threshold>(std::move(threshold));
  try {
    std::thread([kept] { kept->Set(); }).detach();
  } catch (const std::system_error&) {
    kept->Set();
  }
}

}  // namespace

std::unique_ptr<MemoryAlarm> MemoryAlarm::Make(CgroupVersion version,
                                               const std::filesystem::path& folder) {
  if (version == CgroupVersion::kNone) return nullptr;
  std::unique_ptr<MemoryAlarm> alarm(new MemoryAlarm(version, folder));
  if (!alarm->event_.valid() || !alarm->usage_.valid() || !alarm->control_.valid()) return nullptr;
  return alarm;
}

MemoryAlarm::MemoryAlarm(CgroupVersion version, const std::filesystem::path& folder)
    : version_(version) {
  if (version == CgroupVersion::kV1) {
    usage_ = Open(folder / "memory.usage_in_bytes", O_RDONLY);
    control_ = Open(folder / "cgroup.event_control", O_WRONLY);
    event_ = NewEvent();
  } else {
    event_ = Open(folder / "memory.events", O_RDONLY);
    usage_ = Open(folder / "memory.current", O_RDONLY);
    control_ = Open(folder / "memory.high", O_WRONLY);
    Forget(event_.get());
  }
}

std::uint32_t MemoryAlarm::events() const {
  return version_ == CgroupVersion::kV1 ? EPOLLIN : EPOLLPRI;
}

MemoryAlarm::Mark MemoryAlarm::SetMark(std::uint64_t bytes) {
  if (version_ == CgroupVersion::kV1) {
    // The marks of an event go only with it.
    event_ = NewEvent();
    SetInBackground({Copy(event_), Copy(usage_), Copy(control_), bytes});
    return Mark::kWillTell;
  }
  const std::string text = fmt::format("{}", bytes);
  (void)!::pwrite(control_.get(), text.data(), text.size(), 0);
  Forget(event_.get());
  return NumberIn(usage_) >= bytes ? Mark::kPassed : Mark::kWillTell;
}

}  // namespace kelvin::sandbox
