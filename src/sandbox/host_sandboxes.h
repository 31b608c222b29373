#pragma once

#include <expected>
#include <memory>

#include "base/error.h"
#include "sandbox/cgroup_roots.h"
#include "sandbox/protocol.h"
#include "sandbox/sandbox.h"

namespace kelvin::sandbox {

// What to try on this host. Leaving something out makes a rich host pass for a poor one.
struct HostFacilities {
  CgroupRoots cgroups;
  Privacy best_privacy = Privacy::kNamespaces;
};

HostFacilities FindHostFacilities();

// As NewHostSandboxes(options), but trying no more than `facilities`.
std::expected<std::unique_ptr<Sandboxes>, Error> NewHostSandboxes(const HostOptions& options,
                                                                  const HostFacilities& facilities);

}  // namespace kelvin::sandbox
