// The bootstrap of the sandbox tests: does what the environment variable DO says, and tells on
// standard output what came of it.
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

// Keeps the compiler from leaving out memory that is only written.
void Touch(char* memory, std::size_t size) {
  for (std::size_t i = 0; i < size; i += 4096) static_cast<volatile char*>(memory)[i] = 1;
}

int Say(const std::string& text) {
  const std::string line = text + "\n";
  return ::write(STDOUT_FILENO, line.data(), line.size()) < 0 ? 1 : 0;
}

int Wait() {
  Say("ready");
  for (;;) ::pause();
}

int Describe() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  rlimit cores{};
  ::getrlimit(RLIMIT_CORE, &cores);
  char folder[256] = {};
  if (::getcwd(folder, sizeof folder) == nullptr) return 1;
  sigset_t blocked;
  ::sigprocmask(SIG_BLOCK, nullptr, &blocked);
  struct sigaction pipe_action{};
  ::sigaction(SIGPIPE, nullptr, &pipe_action);
  int open_fds = 0;
  for (int fd = 3; fd < 1024; ++fd) open_fds += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  Say("uid " + std::to_string(::getuid()) + " gid " + std::to_string(::getgid()) + " groups " +
      std::to_string(::getgroups(0, nullptr)) + " nofile " + std::to_string(files.rlim_cur) +
      " cores " + std::to_string(cores.rlim_max) + " no_new_privs " +
      std::to_string(::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)) + " seccomp " +
      std::to_string(::prctl(PR_GET_SECCOMP)) + " cwd " + folder + " fds " +
      std::to_string(open_fds) + " blocked " +
      std::to_string(::sigisemptyset(&blocked) != 0 ? 0 : 1) + " sigpipe " +
      (pipe_action.sa_handler == SIG_DFL ? "default" : "changed") + " leader " +
      (::getsid(0) == ::getpid() ? "yes" : "no"));
  return 0;
}

int PrintEnvironment() {
  for (char** variable = ::environ; *variable != nullptr; ++variable) Say(*variable);
  return 0;
}

int TryToWrite(const char* path) {
  const int file = ::open(path, O_WRONLY | O_CREAT, 0644);
  Say(std::string(path) + ": " + (file < 0 ? std::strerror(errno) : "written"));
  return 0;
}

int WriteEverywhere() {
  for (const char* path : {"/var/task/x", "/x", "/usr/x", "/etc/x", "/opt/x", "/tmp/x"}) {
    TryToWrite(path);
  }
  return 0;
}

int LookAt(const char* path) {
  struct stat info{};
  return Say(::stat(path, &info) == 0 ? "there" : std::strerror(errno));
}

// In small steps, so that there is no single allocation to refuse.
int HogMemory() {
  constexpr std::size_t kStep = std::size_t{1} << 20;
  for (;;) Touch(static_cast<char*>(std::malloc(kStep)), kStep);
}

int UseMegabytes(int megabytes) {
  const std::size_t size = static_cast<std::size_t>(megabytes) << 20;
  Touch(static_cast<char*>(std::malloc(size)), size);
  return Wait();
}

int ForkBomb() {
  int children = 0;
  for (;;) {
    const pid_t child = ::fork();
    if (child == 0) {
      for (;;) ::pause();
    }
    if (child < 0) break;
    ++children;
  }
  Say("forked " + std::to_string(children));
  return Wait();
}

// Leaves a grandchild in a session of its own, which holds the output open.
int Daemonise() {
  if (::fork() == 0) {
    ::setsid();
    if (::fork() == 0) {
      Say("daemon");
      for (;;) ::pause();
    }
    ::_exit(0);
  }
  return Wait();
}

int IgnoreSigterm() {
  ::signal(SIGTERM, SIG_IGN);
  return Wait();
}

int Count() {
  for (;;) {
    if (Say("tick") != 0) return 1;
  }
}

int FillTmp() {
  const int file = ::open("/tmp/fill", O_WRONLY | O_CREAT, 0644);
  static char block[65536];
  std::size_t written = 0;
  for (;;) {
    const ssize_t got = ::write(file, block, sizeof block);
    if (got < 0) break;
    written += static_cast<std::size_t>(got);
  }
  return Say(std::strerror(errno) + std::string(" after ") + std::to_string(written >> 20) + " MB");
}

// How often this ran with the same /tmp.
int CountRuns() {
  const int file = ::open("/tmp/runs", O_RDWR | O_CREAT, 0644);
  char runs = '0';
  if (::pread(file, &runs, 1, 0) < 0) return 1;
  ++runs;
  if (::pwrite(file, &runs, 1, 0) != 1) return 1;
  return Say(std::string("run ") + runs);
}

// Exits with a process left behind that holds the output open.
int LeaveAChild() {
  if (::fork() == 0) {
    ::setsid();
    Say("left");
    for (;;) ::pause();
  }
  return 0;
}

struct Call {
  const char* name;
  long number;
  long first = 0;
};

int MakeSystemCalls() {
  const Call calls[] = {{"mount", SYS_mount},
                        {"umount2", SYS_umount2},
                        {"pivot_root", SYS_pivot_root},
                        {"move_mount", SYS_move_mount},
                        {"open_tree", SYS_open_tree},
                        {"fsopen", SYS_fsopen},
                        {"fsmount", SYS_fsmount},
                        {"mount_setattr", SYS_mount_setattr},
                        {"unshare", SYS_unshare, CLONE_NEWUSER},
                        {"setns", SYS_setns},
                        {"clone", SYS_clone, CLONE_NEWUSER},
                        {"clone3", SYS_clone3},
                        {"init_module", SYS_init_module},
                        {"finit_module", SYS_finit_module},
                        {"kexec_load", SYS_kexec_load},
                        {"bpf", SYS_bpf},
                        {"perf_event_open", SYS_perf_event_open},
                        {"userfaultfd", SYS_userfaultfd, 1},
                        {"io_uring_setup", SYS_io_uring_setup, 1},
                        {"add_key", SYS_add_key},
                        {"request_key", SYS_request_key},
                        {"keyctl", SYS_keyctl},
                        {"ptrace", SYS_ptrace, PTRACE_TRACEME},
                        {"swapon", SYS_swapon},
                        {"reboot", SYS_reboot}};
  for (const Call& call : calls) {
    const long result = ::syscall(call.number, call.first, 0, 0, 0, 0);
    Say(std::string(call.name) + ": " + (result < 0 ? std::strerror(errno) : "done"));
  }
  Say("done");
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  int status = -1;
  ::waitpid(child, &status, 0);
  pthread_t thread{};
  const int made =
      ::pthread_create(&thread, nullptr, [](void*) -> void* { return nullptr; }, nullptr);
  if (made != 0 || ::pthread_join(thread, nullptr) != 0 || status != 0) return 1;
  return Say("forked and threaded");
}

int Connect(const std::string& abstract_name) {
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  abstract_name.copy(address.sun_path + 1, sizeof address.sun_path - 1);
  const auto length =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + abstract_name.size());
  const int result = ::connect(socket, reinterpret_cast<sockaddr*>(&address), length);
  return Say(result == 0 ? "connected" : std::strerror(errno));
}

int TryToRead(const char* path) {
  const int file = ::open(path, O_RDONLY);
  char byte = 0;
  return Say(file >= 0 && ::read(file, &byte, 1) >= 0 ? "read" : std::strerror(errno));
}

}  // namespace

int main() {
  const char* const value = std::getenv("DO");
  const std::string what = value != nullptr ? value : "";
  const std::size_t space = what.find(' ');
  const std::string verb = what.substr(0, space);
  const std::string argument = space == std::string::npos ? "" : what.substr(space + 1);
  if (verb == "exit") return std::atoi(argument.c_str());
  if (verb == "raise") return ::raise(std::atoi(argument.c_str()));
  if (verb == "wait") return Wait();
  if (verb == "describe") return Describe();
  if (verb == "environment") return PrintEnvironment();
  if (verb == "write-everywhere") return WriteEverywhere();
  if (verb == "write") return TryToWrite(argument.c_str());
  if (verb == "look") return LookAt(argument.c_str());
  if (verb == "read") return TryToRead(argument.c_str());
  if (verb == "connect") return Connect(argument);
  if (verb == "system-calls") return MakeSystemCalls();
  if (verb == "hog") return HogMemory();
  if (verb == "use") return UseMegabytes(std::atoi(argument.c_str()));
  if (verb == "fork-bomb") return ForkBomb();
  if (verb == "daemonise") return Daemonise();
  if (verb == "ignore-sigterm") return IgnoreSigterm();
  if (verb == "count") return Count();
  if (verb == "fill-tmp") return FillTmp();
  if (verb == "fill-tmp-and-use") return FillTmp() + UseMegabytes(std::atoi(argument.c_str()));
  if (verb == "fill-tmp-and-hog") return FillTmp() + HogMemory();
  if (verb == "count-runs") return CountRuns();
  if (verb == "leave-a-child") return LeaveAChild();
  return 99;
}
