#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

namespace kelvin::sandbox {

// How far a sandbox is set apart from the host.
enum class Privacy : int {
  kNamespaces,      // mount, pid, IPC and UTS namespaces, and another user: needs root
  kUserNamespaces,  // the same within a user namespace: an ordinary user suffices
  kNone,            // an ordinary process that sees the host's files
};

// Who counts memory.
enum class MemoryWatch : int { kCgroup, kKeeper };

// Folders of the host that a sandbox sees, read-only; empty ones it sees as empty folders.
struct SandboxFolders {
  std::filesystem::path code;      // /var/task
  std::filesystem::path layers;    // /opt
  std::filesystem::path runtime;   // /var/runtime
  std::filesystem::path language;  // /var/lang
};

// What the launcher and the keeper need to begin a sandbox, before it is known what will run in
// it. Beside it travel, in this order, the keeper's end of its channel, the write end of the
// output, and the files to join its cgroups by.
struct LaunchRequest {
  Privacy privacy = Privacy::kNone;
  MemoryWatch memory_watch = MemoryWatch::kKeeper;
  uid_t uid = 0;  // of the function, as it sees itself
  gid_t gid = 0;
  std::filesystem::path mount_point;  // an empty folder; each sandbox mounts there, unseen
};

std::string Encode(const LaunchRequest& request);
LaunchRequest DecodeLaunchRequest(std::string_view bytes);

// What makes it the sandbox of one function; from the service to the keeper.
struct Furnishing {
  int memory_mb = 0;
  int tmp_mb = 0;
  SandboxFolders folders;
};

std::string Encode(const Furnishing& furnishing);
Furnishing DecodeFurnishing(std::string_view bytes);

// What the runner executes, in `folder`: the first candidate that exists; from the service to it.
struct Program {
  std::filesystem::path folder;
  std::vector<std::string> candidates;
  std::vector<std::string> environment;  // NAME=VALUE
};

std::string Encode(const Program& program);
Program DecodeProgram(std::string_view bytes);

// From the service to the keeper; a packet of one such byte.
enum class KeeperCommand : char {
  kFurnish,    // a Furnishing follows; once
  kPrepare,    // the next runner, after the exit of the one before was reported
  kStarted,    // the runner has been told to go (only with MemoryWatch::kKeeper)
  kTerminate,  // SIGTERM to the first process
  kKill,       // kill every process
  kStop,       // stop every process by signal; acknowledged
  kContinue,   // resume them; acknowledged
  kPeak,       // asks for the highest memory; answered by kPeak
  kQuit,       // kill every process, and end when they are gone
  kExtension,  // start one: a packed ExtensionLaunch follows, and its output comes along
};

struct ExtensionLaunch {
  int number = 0;  // names it in reports
  Program program;
};
std::string Encode(const ExtensionLaunch& launch);
ExtensionLaunch DecodeExtensionLaunch(std::string_view bytes);

// From the keeper to the service.
struct KeeperReport {
  enum class Kind : int {
    kPrepared,   // a runner is there; its channel comes along
    kFurnished,  // the function's folders are in place; its /tmp comes along
    kExited,     // the first process ended
    kFailed,     // the sandbox cannot be made or the runner not be prepared: text follows
    kAcknowledged,
    kPeak,
    kExtensionStarted,
    kExtensionFailed,  // to start: a RunnerNote follows
    kExtensionExited,
  };
  Kind kind = Kind::kFailed;
  int generation = 0;     // of the runner, from 1
  int wait_status = 0;    // as waitpid gives it
  int out_of_memory = 0;  // 1 when the keeper killed it at the ceiling
  std::uint64_t peak_bytes = 0;
  int extension = 0;  // its number
};

// From the runner, which waits to become the bootstrap, to the service. It sends kReady, waits for
// a Program, and executes; the channel then closes, or one more note says why not.
enum class RunnerStep : int {
  kReady,
  kOutput,
  kCgroup,
  kLimits,
  kFolder,
  kUser,
  kFilter,
  kExecute,
};
struct RunnerNote {
  RunnerStep step = RunnerStep::kReady;
  int error_number = 0;
};

}  // namespace kelvin::sandbox
