#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"

namespace kelvin::sandbox {

// What one execution environment is made of.
struct SandboxSpec {
  std::string id;                     // [A-Za-z0-9_-]{1,64}, unique on this host; names its cgroups
  std::filesystem::path code = {};    // unpacked package, seen read-only as /var/task
  std::filesystem::path layers = {};  // seen read-only as /opt; may be empty
  std::filesystem::path runtime = {};   // seen read-only as /var/runtime; may be empty
  std::filesystem::path language = {};  // seen read-only as /var/lang; may be empty
  std::vector<std::pair<std::string, std::string>> environment = {};  // exactly what bootstrap sees
  int memory_mb = 128;  // ceiling of all processes together
  int tmp_mb = 512;     // size of the private /tmp
};

// How a sandbox's first process ended, or one of its extensions.
struct ExitStatus {
  bool signaled = false;
  int code = 0;                // exit status, or the signal's number
  bool out_of_memory = false;  // the kernel killed it at the memory ceiling
  std::string extension = {};  // the extension's name; empty for the first process
};

// A program beside the first process.
struct ExtensionSpec {
  std::string name;                                                   // a file in /opt/extensions
  std::vector<std::pair<std::string, std::string>> environment = {};  // exactly what it sees
  int output = -1;  // becomes its standard output and error; stays open here
};

enum class CpuShare {
  kFull,      // a whole vCPU: during init
  kByMemory,  // memory / 1769 vCPUs: during invokes
};

// One execution environment: a process group with its own /tmp and limits. Every process in it is
// gone when the object is. Used from one thread.
class Sandbox {
 public:
  virtual ~Sandbox() = default;  // kills and cleans up
  // Starts the first there is of /var/runtime/bootstrap, /var/task/bootstrap and
  // /opt/bootstrap, again after an exit: /tmp stays. Fails with
  // kNotFound (no bootstrap), kPermissionDenied (not executable), kInvalidArgument (not a program
  // for this machine), kIo.
  virtual std::expected<void, Error> Start() = 0;
  // Starts an extension, whose exit is reported with its name. Fails as Start does. While an
  // extension runs, the exit of the first process ends no other, and Start must wait.
  virtual std::expected<void, Error> StartExtension(const ExtensionSpec& extension) = 0;
  // Sends SIGTERM to the first process.
  virtual void Terminate() = 0;
  // Kills every process at once; the exit is reported as any other.
  virtual void Kill() = 0;
  // Stops and resumes every process; an exit while frozen is still reported.
  virtual void Freeze() = 0;
  virtual void Thaw() = 0;
  virtual void SetCpuShare(CpuShare share) = 0;
  // Highest memory since the first Start, in bytes: the larger of what the kernel charged to the
  // sandbox (private memory of all processes, /tmp, the kernel's own for them, and file pages that
  // no other process had read before) and of what the first process had resident (which counts the
  // pages of its program too, as Lambda's figure does). Without a memory cgroup it is the sum of
  // what the processes had resident, by polling.
  virtual std::uint64_t PeakMemoryBytes() = 0;
  // The read end of the pipe behind standard output and error; non-blocking, for the whole life of
  // the sandbox. Stays owned by the sandbox.
  virtual int output_fd() const = 0;
};

// What this host allows, found by trying. `missing` lists, for people, what is weaker and why.
struct Isolation {
  enum class Memory { kCgroupV2, kCgroupV1, kPolled } memory = Memory::kPolled;
  enum class Cpu { kCgroupV2, kCgroupV1, kNone } cpu = Cpu::kNone;
  enum class Freezer { kCgroupV2, kCgroupV1, kSignals } freezer = Freezer::kSignals;
  bool private_mounts = false;     // own /tmp, read-only /var/task, read-only rest
  bool unprivileged_user = false;  // another than the one who runs the service
  bool system_calls_filtered = false;
  bool sockets_scoped = false;  // no way to the abstract Unix sockets of the host's programs
  std::vector<std::string> missing;
};

// Makes sandboxes, and some ahead, so that what takes long about it is done before it is needed:
// the seam for processes.
class Sandboxes {
 public:
  using OnExit = std::function<void(ExitStatus)>;
  virtual ~Sandboxes() = default;
  // Makes the environment, without a process yet. `on_exit` runs within Dispatch, once for every
  // Start and StartExtension that succeeded, and never after the sandbox is destroyed.
  virtual std::expected<std::unique_ptr<Sandbox>, Error> Create(const SandboxSpec& spec,
                                                                OnExit on_exit) = 0;
  // Becomes readable when Dispatch has something to do.
  virtual int event_fd() const = 0;
  // Runs the callbacks of all exits seen by now. Never blocks.
  virtual void Dispatch() = 0;
  virtual const Isolation& isolation() const = 0;
};

struct HostOptions {
  // Uid and gid that functions run as when the service is root.
  unsigned int uid = 993;
  unsigned int gid = 990;
  std::filesystem::path state;  // for mount points and the like; must exist
};

// The real thing. Starts one small helper process, which makes the sandboxes' processes and kills
// them all if this process dies in any way. Call it while the process still has one thread.
std::expected<std::unique_ptr<Sandboxes>, Error> NewHostSandboxes(const HostOptions& options);

}  // namespace kelvin::sandbox
