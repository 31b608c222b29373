#pragma once

namespace kelvin::sandbox {

// The system calls that a function on Lambda is refused, with EPERM, whatever the kernel outside
// would allow: mounting, namespaces, tracing, keys, kernel modules, bpf, performance counters,
// user-mode page faults, io_uring. The program for the kernel is made when Kelvin is compiled.

// Whether this kernel can filter.
bool CanFilterSystemCalls();
// For this process and all that come of it, for ever. It has no_new_privs set. Returns 0 or the
// error's number.
int FilterSystemCalls();

// Whether this kernel can keep processes from the abstract Unix sockets of others (Linux 6.12).
bool CanScopeSockets();
// From now on this process and all that come of it reach abstract Unix sockets, and signal
// processes, only of their own. It has no_new_privs set. Returns 0 or the error's number.
int ScopeSockets();

}  // namespace kelvin::sandbox
