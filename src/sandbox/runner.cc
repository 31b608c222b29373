#include "sandbox/runner.h"

#include <cerrno>

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sandbox/channel.h"

namespace kelvin::sandbox {
namespace {

constexpr rlim_t kOpenFiles = 1024;  // of a Lambda environment
constexpr int kFailedExit = 127;

[[noreturn]] void GiveUp(int channel, RunnerStep step) {
  const RunnerNote note{step, errno};
  (void)SendPacket(channel, BytesOf(note));
  ::_exit(kFailedExit);
}

void ConnectOutput(int channel, int output) {
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (null < 0 || ::dup2(null, STDIN_FILENO) < 0 || ::dup2(output, STDOUT_FILENO) < 0 ||
      ::dup2(output, STDERR_FILENO) < 0 ||
      ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) != 0) {
    GiveUp(channel, RunnerStep::kOutput);
  }
}

void SetLimits(int channel) {
  const rlimit files{kOpenFiles, kOpenFiles};
  const rlimit cores{0, 0};
  if (::setrlimit(RLIMIT_NOFILE, &files) != 0 || ::setrlimit(RLIMIT_CORE, &cores) != 0) {
    GiveUp(channel, RunnerStep::kLimits);
  }
}

void BecomeUser(const LaunchRequest& request, int channel) {
  if (::geteuid() == 0 && request.uid != 0 &&
      (::setgroups(0, nullptr) != 0 || ::setresgid(request.gid, request.gid, request.gid) != 0 ||
       ::setresuid(request.uid, request.uid, request.uid) != 0)) {
    GiveUp(channel, RunnerStep::kUser);
  }
  // Behind the change of user, which would clear the second.
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) {
    GiveUp(channel, RunnerStep::kUser);
  }
}

void ResetSignals() {
  // Handlers go at the exec by themselves, ignored signals would stay ignored.
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

std::vector<std::string> Candidates(const LaunchRequest& request) {
  if (request.privacy == Privacy::kNone) {
    std::vector<std::string> candidates;
    const SandboxFolders& folders = request.folders;
    for (const auto* folder : {&folders.runtime, &folders.code, &folders.layers}) {
      if (!folder->empty()) candidates.push_back((*folder / "bootstrap").native());
    }
    return candidates;
  }
  return {"/var/runtime/bootstrap", "/var/task/bootstrap", "/opt/bootstrap"};
}

// What every process of a sandbox goes through before it executes a program of the user's.
void EnterSandbox(const LaunchRequest& request, int channel, int output,
                  const std::vector<UniqueFd>& join_files, const std::string& folder) {
  ::setsid();
  for (const UniqueFd& file : join_files) {
    if (::write(file.get(), "0", 1) != 1) GiveUp(channel, RunnerStep::kCgroup);
  }
  ConnectOutput(channel, output);
  if (::chdir(folder.c_str()) != 0) GiveUp(channel, RunnerStep::kFolder);
  SetLimits(channel);
  BecomeUser(request, channel);
  ResetSignals();
}

std::vector<char*> Pointers(const std::vector<std::string>& variables) {
  std::vector<char*> pointers;
  for (const std::string& variable : variables) {
    pointers.push_back(const_cast<char*>(variable.c_str()));
  }
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

[[noreturn]] void RunRunner(const LaunchRequest& request, int channel, int output,
                            const std::vector<UniqueFd>& join_files) {
  const std::string folder =
      request.privacy == Privacy::kNone ? request.folders.code.native() : "/var/task";
  EnterSandbox(request, channel, output, join_files, folder);

  const std::vector<std::string> candidates = Candidates(request);
  const std::vector<char*> environment = Pointers(request.environment);
  if (!SendPacket(channel, BytesOf(RunnerNote{}))) ::_exit(kFailedExit);
  char go = 0;
  if (::recv(channel, &go, sizeof go, 0) != sizeof go) ::_exit(0);

  for (const std::string& candidate : candidates) {
    char* const arguments[] = {const_cast<char*>(candidate.c_str()), nullptr};
    ::execve(candidate.c_str(), arguments, environment.data());
    // ENOENT is also what a missing interpreter gives; only a missing file goes on to the next.
    const int number = errno;
    const bool exists = ::access(candidate.c_str(), F_OK) == 0;
    errno = number;
    if (number != ENOENT || exists) break;
  }
  GiveUp(channel, RunnerStep::kExecute);
}

[[noreturn]] void RunExtension(const LaunchRequest& request, const ExtensionLaunch& launch,
                               int channel, int output, const std::vector<UniqueFd>& join_files) {
  EnterSandbox(request, channel, output, join_files, "/");
  const std::filesystem::path layers =
      request.privacy == Privacy::kNone ? request.folders.layers : "/opt";
  const std::string program = layers / "extensions" / launch.name;
  char* const arguments[] = {const_cast<char*>(program.c_str()), nullptr};
  ::execve(program.c_str(), arguments, Pointers(launch.environment).data());
  GiveUp(channel, RunnerStep::kExecute);
}

}  // namespace kelvin::sandbox
