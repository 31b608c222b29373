#pragma once

#include <expected>

#include <sys/types.h>

#include "base/error.h"
#include "base/file.h"
#include "sandbox/protocol.h"

namespace kelvin::sandbox {

// Who is who between a user namespace and the host, told to the kernel once per namespace.

// By a process in the namespace, which is allowed one user: the function has the id it would have
// on Lambda, and is, outside, `outer_uid` and `outer_gid`, who run Kelvin.
std::expected<void, Error> MapOwnUser(const LaunchRequest& request, uid_t outer_uid,
                                      gid_t outer_gid);

// By root, from outside the namespace of `pid`: root stays root, for the keeper, and the function's
// user is that user, so that the function has none of root's rights to the host's files. What came
// of it goes to HearUserMap, at the other end of the pipe `told`.
void MapUsersOf(pid_t pid, const LaunchRequest& request, UniqueFd told);
std::expected<void, Error> HearUserMap(UniqueFd told);

}  // namespace kelvin::sandbox
