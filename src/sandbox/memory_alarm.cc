#include "sandbox/memory_alarm.h"

#include <array>

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

}  // namespace

std::unique_ptr<MemoryAlarm> MemoryAlarm::Make(CgroupVersion version,
                                               const std::filesystem::path& folder) {
  if (version == CgroupVersion::kNone) return nullptr;
  std::unique_ptr<MemoryAlarm> alarm(new MemoryAlarm(version, folder));
  if (!alarm->event_.valid() || !alarm->control_.valid()) return nullptr;
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
    control_ = Open(folder / "memory.high", O_WRONLY);
    Forget(event_.get());
  }
}

std::uint32_t MemoryAlarm::events() const {
  return version_ == CgroupVersion::kV1 ? EPOLLIN : EPOLLPRI;
}

void MemoryAlarm::SetMark(std::uint64_t bytes) {
  if (version_ == CgroupVersion::kV1) {
    // The marks of an event go only with it.
    event_ = NewEvent();
    const std::string text = fmt::format("{} {} {}", event_.get(), usage_.get(), bytes);
    (void)!::write(control_.get(), text.data(), text.size());
  } else {
    const std::string text = fmt::format("{}", bytes);
    (void)!::pwrite(control_.get(), text.data(), text.size(), 0);
    Forget(event_.get());
  }
}

}  // namespace kelvin::sandbox
