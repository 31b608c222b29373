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
#include "sandbox/syscall_filter.h"

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

// What every process of a sandbox goes through before it executes a program of the user's.
void EnterSandbox(const LaunchRequest& request, int channel, int output,
                  const std::vector<UniqueFd>& join_files) {
  ::setsid();
  for (const UniqueFd& file : join_files) {
    if (::write(file.get(), "0", 1) != 1) GiveUp(channel, RunnerStep::kCgroup);
  }
  ConnectOutput(channel, output);
  SetLimits(channel);
  BecomeUser(request, channel);
  ResetSignals();
  // A kernel that cannot is told of to the user elsewhere.
  errno = CanFilterSystemCalls() ? FilterSystemCalls() : 0;
  if (errno != 0) GiveUp(channel, RunnerStep::kFilter);
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

[[noreturn]] void Execute(const Program& program, int channel) {
  if (::chdir(program.folder.c_str()) != 0) GiveUp(channel, RunnerStep::kFolder);
  const std::vector<char*> environment = Pointers(program.environment);
  for (const std::string& candidate : program.candidates) {
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

}  // namespace

[[noreturn]] void RunRunner(const LaunchRequest& request, int channel, int output,
                            const std::vector<UniqueFd>& join_files) {
  EnterSandbox(request, channel, output, join_files);
  if (!SendPacket(channel, BytesOf(RunnerNote{}))) ::_exit(kFailedExit);
  const auto program = ReceivePacket(channel, Wait::kYes);
  if (!program || program->bytes.empty()) ::_exit(0);
  Execute(DecodeProgram(program->bytes), channel);
}

[[noreturn]] void RunExtension(const LaunchRequest& request, const Program& program, int channel,
                               int output, const std::vector<UniqueFd>& join_files) {
  EnterSandbox(request, channel, output, join_files);
  Execute(program, channel);
}

}  // namespace kelvin::sandbox
