#include "sandbox/cgroup_roots.h"

#include <algorithm>
#include <string>
#include <vector>

namespace kelvin::sandbox {
namespace {

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

// "id parent major:minor root mountpoint options [optional...] - type source super-options"
struct Mount {
  std::string_view root, point, type, super_options;
};

bool ParseMount(std::string_view line, Mount& mount) {
  const std::size_t dash = line.find(" - ");
  if (dash == line.npos) return false;
  const auto before = Split(line.substr(0, dash), ' ');
  const auto after = Split(line.substr(dash + 3), ' ');
  if (before.size() < 5 || after.size() < 3) return false;
  mount = {before[3], before[4], after[0], after[2]};
  return true;
}

// A group's folder: /proc/self/cgroup counts from the hierarchy's root, of which a container may
// have mounted only a part.
std::filesystem::path GroupFolder(const Mount& mount, std::string_view group) {
  if (mount.root != "/" && group.starts_with(mount.root)) group.remove_prefix(mount.root.size());
  while (group.starts_with('/')) group.remove_prefix(1);
  const std::filesystem::path point(mount.point);
  return group.empty() ? point : point / group;
}

}  // namespace

CgroupRoots FindCgroupRoots(std::string_view mountinfo, std::string_view self_cgroup) {
  CgroupRoots roots;
  std::string_view own_group;
  for (std::string_view line : Split(self_cgroup, '\n')) {
    if (line.starts_with("0::")) own_group = line.substr(3);
  }
  for (std::string_view line : Split(mountinfo, '\n')) {
    Mount mount;
    if (!ParseMount(line, mount)) continue;
    // Later ones are elsewhere for somebody else's sake, in a chroot for example.
    const auto take = [&](std::filesystem::path& root) {
      if (root.empty()) root = mount.point;
    };
    if (mount.type == "cgroup2" && roots.unified.empty()) {
      roots.unified = mount.point;
      roots.own = GroupFolder(mount, own_group);
    }
    if (mount.type != "cgroup") continue;
    for (std::string_view controller : Split(mount.super_options, ',')) {
      if (controller == "memory") take(roots.memory);
      if (controller == "cpu") take(roots.cpu);
      if (controller == "pids") take(roots.pids);
      if (controller == "freezer") take(roots.freezer);
    }
  }
  return roots;
}

}  // namespace kelvin::sandbox
