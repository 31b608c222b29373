#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "sandbox/cgroup_fs.h"
#include "sandbox/cgroup_roots.h"
#include "sandbox/sandbox.h"

namespace kelvin::sandbox {

class MemoryAlarm;

// Which folder serves which purpose: one per controller with v1, the same for all with v2; empty
// where the host offers none. As text, which takes a quarter of a path's memory: every sandbox has
// them.
struct CgroupFolders {
  std::string memory, cpu, pids, freezer;
  // Each folder once.
  std::vector<std::string> All() const;
};

enum class CgroupVersion { kNone, kV1, kV2 };
struct CgroupVersions {
  CgroupVersion memory = CgroupVersion::kNone;
  CgroupVersion cpu = CgroupVersion::kNone;
  CgroupVersion pids = CgroupVersion::kNone;
  CgroupVersion freezer = CgroupVersion::kNone;
};

// The group of one sandbox: limits, counters, freezer. What the host lacks does nothing. Used from
// one thread; removes its folders at the end if they are empty by then.
class Cgroup {
 public:
  Cgroup(CgroupFs& fs, const CgroupVersions& versions, CgroupFolders folders);
  ~Cgroup();
  Cgroup(const Cgroup&) = delete;
  Cgroup& operator=(const Cgroup&) = delete;

  // A process that writes "0" to each of these files is in the group.
  std::vector<std::filesystem::path> JoinFiles() const;
  // Before anything of a function runs in it. `apart_mb` is for what is charged to the group and
  // does not count: somebody else watches what does.
  std::expected<void, Error> SetLimits(int memory_mb, int apart_mb);
  void SetCpuShare(CpuShare share);
  void Freeze();
  void Thaw();
  // Whether the kernel keeps the highest use itself.
  bool CountsPeak();
  // v1: highest charge since ResetPeak; v2: since the group was made. Bytes.
  std::uint64_t Peak();
  void ResetPeak();
  // Where Peak reads; empty without a memory controller.
  std::filesystem::path PeakFile() const;
  // What is charged now, and how much of it is not just cached files, in bytes.
  std::uint64_t Charged();
  std::uint64_t ChargedButForCache();
  // Tells when the group comes to so much memory; null where the kernel cannot.
  std::unique_ptr<MemoryAlarm> MakeAlarm() const;
  // How many processes the kernel has killed for want of memory.
  std::uint64_t OutOfMemoryKills();
  // Fails while processes are in it.
  std::expected<void, Error> Remove();

 private:
  CgroupFs& fs_;
  const CgroupVersions versions_;
  const CgroupFolders folders_;
  int memory_mb_ = 0;
};

// Makes groups below one folder per hierarchy named after this instance of Kelvin,
// "kelvin-<pid>-<start time>", so that those of an instance that is gone can be told and removed.
class Cgroups {
 public:
  // Finds out by trying what this host allows; `missing()` says what it does not. Never fails.
  // `fs` outlives the object.
  Cgroups(CgroupFs& fs, const CgroupRoots& roots, std::string instance, int pid);
  ~Cgroups();
  Cgroups(const Cgroups&) = delete;
  Cgroups& operator=(const Cgroups&) = delete;

  const CgroupVersions& versions() const { return versions_; }
  const std::vector<std::string>& missing() const { return missing_; }

  // Without limits yet.
  std::expected<std::unique_ptr<Cgroup>, Error> Make(const std::string& id);
  // Thaws and kills what is left in any group of this instance, and removes the groups.
  void RemoveAll();
  // Does the same for every instance for which `is_alive` is false.
  static void RemoveStale(CgroupFs& fs, const CgroupRoots& roots,
                          const std::function<bool(int pid, std::uint64_t start_time)>& is_alive);

 private:
  void TryV2(const CgroupRoots& roots, int pid);
  void TryV1(const CgroupRoots& roots);
  void DescribeMissing();

  CgroupFs& fs_;
  const CgroupRoots roots_;
  const std::string instance_;
  CgroupVersions versions_;
  CgroupFolders bases_;
  std::vector<std::string> missing_;
};

}  // namespace kelvin::sandbox
