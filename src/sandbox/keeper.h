#pragma once

#include <expected>
#include <map>
#include <vector>

#include <sys/types.h>

#include "base/error.h"
#include "base/file.h"
#include "sandbox/channel.h"
#include "sandbox/protocol.h"
#include "sandbox/root_plan.h"

namespace kelvin::sandbox {

// The process that holds one sandbox together: its mounts and namespaces live as long as it does,
// it is the parent of the function's processes (process 1 of their pid namespace), prepares the
// next runner, kills, and reports exits. It ends when the service closes the channel or dies, and
// everything in the sandbox with it. It stays outside the sandbox's cgroups.
class Keeper {
 public:
  // `user_map` tells when the launcher has mapped the users of the namespace; where it does not,
  // the keeper does.
  // `root` is what every sandbox sees, and outlives the object.
  Keeper(const std::vector<RootStep>& root, LaunchRequest request, UniqueFd channel,
         UniqueFd output, std::vector<UniqueFd> join_files, UniqueFd user_map);

  // `outer_uid` and `outer_gid` are what the user outside the namespaces is.
  [[noreturn]] void Run(uid_t outer_uid, gid_t outer_gid);

 private:
  std::expected<void, Error> Enter(uid_t outer_uid, gid_t outer_gid);
  void Prepare();
  void Furnish(const Furnishing& furnishing);
  void Serve(int child_signals);
  void Obey(const Packet& packet);
  void StartExtension(std::string_view argument, const Packet& packet);
  void Reap();
  void ReportExit(pid_t ended, int wait_status);
  void WatchMemory();
  void SignalAll(int signal);
  void KillAll();
  [[noreturn]] void Quit();
  void Report(KeeperReport report);
  void ReportFailure(const Error& error);

  const std::vector<RootStep>& root_;
  const LaunchRequest request_;
  const UniqueFd channel_;
  const UniqueFd output_;
  const std::vector<UniqueFd> join_files_;
  UniqueFd user_map_;
  int memory_mb_ = 0;
  pid_t runner_ = -1;
  std::map<pid_t, int> extensions_;  // that run, to their numbers
  int generation_ = 0;
  bool started_ = false;
  bool out_of_memory_ = false;
  std::uint64_t peak_bytes_ = 0;
};

}  // namespace kelvin::sandbox
