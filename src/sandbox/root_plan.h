#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "sandbox/protocol.h"

namespace kelvin::sandbox {

// What a sandbox sees as "/": the host's programs and libraries, read-only, around the function's
// own folders. Planned as data, so that what is visible can be tested without making it.
enum class RootAction {
  kTmpfs,    // `source` holds the mount's options
  kFolder,   // an empty folder, or the one that is there already
  kSymlink,  // to `source`
  kBind,     // `source` of the host and what is mounted below it, read-only
  kFile,     // one file of the host, read-only, if it is there at the time; over another if one is
  kDevice,   // one device file of the host
  kProc,     // the processes of the sandbox
};

struct RootStep {
  RootAction action = RootAction::kFolder;
  std::filesystem::path target;  // relative to the new root
  std::string source = {};
  bool operator==(const RootStep&) const = default;
};

// Files that are shown in place of those of the host's /etc.
struct EtcFiles {
  std::filesystem::path hosts;
  std::filesystem::path users;  // as passwd
};

// What every sandbox sees. Looks below `host_root` for what there is to show. Where the files of
// /etc by which names are resolved are links to what is not shown, as is usual with resolv.conf,
// they are shown where the links lead.
std::vector<RootStep> PlanRoot(const std::filesystem::path& host_root, const EtcFiles& etc);
// What is one function's own, behind the steps of PlanRoot. `tmp_mb` is the size of /tmp.
std::vector<RootStep> PlanFolders(const SandboxFolders& folders, int tmp_mb);

// Begins the root at `mount_point`, an existing folder: still to be added to, and the host's root
// still in place. The process has a mount namespace of its own, and CAP_SYS_ADMIN over it.
std::expected<void, Error> BeginRoot(const std::vector<RootStep>& plan,
                                     const std::filesystem::path& mount_point);
// Adds the rest, and moves every process of the mount namespace into the root.
std::expected<void, Error> EnterRoot(const std::vector<RootStep>& plan,
                                     const std::filesystem::path& mount_point);

}  // namespace kelvin::sandbox
