#pragma once

#include <expected>
#include <vector>

#include <sys/types.h>

#include "base/error.h"
#include "base/file.h"
#include "sandbox/cgroups.h"
#include "sandbox/root_plan.h"

namespace kelvin::sandbox {

// The small process between the service and the sandboxes: forked early, so that what it forks
// later is cheap, and with one thread, so that forking is safe. It makes a keeper for every
// LaunchRequest. When the channel closes, because the service ended in any way, it kills what is
// left, removes the cgroups and ends.
struct Launcher {
  pid_t pid = -1;
  UniqueFd channel;  // takes LaunchRequests
};

// `root` is what every sandbox sees. Call it while the process has one thread.
std::expected<Launcher, Error> StartLauncher(Cgroups& cgroups, const std::vector<RootStep>& root);

}  // namespace kelvin::sandbox
