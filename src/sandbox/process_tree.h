#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace kelvin::sandbox {

// Of /proc/<pid>/stat.
struct ProcessStat {
  char state = '?';
  pid_t parent = 0;
  std::uint64_t start_time = 0;  // in clock ticks after boot: with the pid it names a process
};

std::optional<ProcessStat> ParseProcessStat(std::string_view text);
// Nothing if there is no such process.
std::optional<ProcessStat> ReadProcessStat(pid_t pid);

// All descendants of `ancestor`, zombies excepted, as /proc shows them at this moment.
std::vector<pid_t> Descendants(pid_t ancestor);

// Of a /proc/<pid>/status: the highest resident memory in bytes; 0 if it does not say.
std::uint64_t ParseHighestResident(std::string_view status);

struct MemoryUse {
  std::uint64_t now = 0;      // resident bytes
  std::uint64_t highest = 0;  // highest resident bytes of each process, added up
};
MemoryUse MemoryOf(const std::vector<pid_t>& processes);

}  // namespace kelvin::sandbox
