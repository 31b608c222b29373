#pragma once

#include <filesystem>
#include <string_view>

namespace kelvin::sandbox {

// Where the cgroup hierarchies are mounted; empty where one is not.
struct CgroupRoots {
  std::filesystem::path memory, cpu, pids, freezer;  // v1 controllers
  std::filesystem::path unified;                     // v2, alone or beside v1
  std::filesystem::path own;                         // this process's group within v2
};

// Reads /proc/self/mountinfo and /proc/self/cgroup as given.
CgroupRoots FindCgroupRoots(std::string_view mountinfo, std::string_view self_cgroup);

}  // namespace kelvin::sandbox
