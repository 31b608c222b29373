#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "base/file.h"
#include "sandbox/cgroups.h"

namespace kelvin::sandbox {

// Tells when the memory of a group has come to a mark, which is no limit: with cgroup v1 by a
// threshold's event, with v2 by `memory.high`, which also slows the group down until it is looked
// at. Used from one thread; a threshold is set by a thread of its own, which needs nothing of the
// object.
class MemoryAlarm {
 public:
  // Null where the kernel cannot. `folder` is the group's.
  static std::unique_ptr<MemoryAlarm> Make(CgroupVersion version,
                                           const std::filesystem::path& folder);

  // To wait for, with `events()` of epoll; another one after every SetMark.
  int fd() const { return event_.get(); }
  std::uint32_t events() const;
  // One mark at a time. A mark that was passed before the kernel had set it is either told, some
  // milliseconds later (v1), or answered as kPassed, and then it may go untold (v2).
  enum class Mark { kWillTell, kPassed };
  Mark SetMark(std::uint64_t bytes);

 private:
  MemoryAlarm(CgroupVersion version, const std::filesystem::path& folder);

  CgroupVersion version_;
  UniqueFd event_;    // v1: an eventfd; v2: memory.events
  UniqueFd usage_;    // v1: memory.usage_in_bytes; v2: memory.current
  UniqueFd control_;  // v1: cgroup.event_control; v2: memory.high
};

}  // namespace kelvin::sandbox
