#include "sandbox/keeper.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/channel.h"
#include "sandbox/process_tree.h"
#include "sandbox/runner.h"
#include "sandbox/syscall_filter.h"
#include "sandbox/user_map.h"

namespace kelvin::sandbox {
namespace {

constexpr int kMemoryWatchMs = 50;

}  // namespace

Keeper::Keeper(const std::vector<RootStep>& root, LaunchRequest request, UniqueFd channel,
               UniqueFd output, std::vector<UniqueFd> join_files, UniqueFd user_map)
    : root_(root),
      request_(std::move(request)),
      channel_(std::move(channel)),
      output_(std::move(output)),
      join_files_(std::move(join_files)),
      user_map_(std::move(user_map)) {}

void Keeper::Run(uid_t outer_uid, gid_t outer_gid) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  ::prctl(PR_SET_NAME, "kelvin-keeper", 0, 0, 0);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);  // for when it is not process 1 of a namespace
  ::signal(SIGCHLD, SIG_DFL);
  sigset_t child;
  ::sigemptyset(&child);
  ::sigaddset(&child, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &child, nullptr);
  const UniqueFd child_signals(::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!child_signals.valid()) {
    ReportFailure(ErrnoError("watch for the ends of processes", errno));
    ::_exit(1);
  }
  // Here, so that what is in the sandbox is in one domain, with each other and apart from the host.
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (const int number = CanScopeSockets() ? ScopeSockets() : 0; number != 0) {
    ReportFailure(ErrnoError("keep the sandbox from the host's sockets", number));
    ::_exit(1);
  }
  if (auto entered = Enter(outer_uid, outer_gid); !entered) {
    ReportFailure(entered.error());
    ::_exit(1);
  }
  Prepare();
  for (;;) Serve(child_signals.get());
}

std::expected<void, Error> Keeper::Enter(uid_t outer_uid, gid_t outer_gid) {
  if (request_.privacy == Privacy::kNone) return {};
  if (request_.privacy == Privacy::kUserNamespaces) {
    auto mapped = user_map_.valid() ? HearUserMap(std::exchange(user_map_, UniqueFd()))
                                    : MapOwnUser(request_, outer_uid, outer_gid);
    if (!mapped) return mapped;
  }
  constexpr std::string_view kHostName = "localhost";
  if (::sethostname(kHostName.data(), kHostName.size()) != 0) {
    return std::unexpected(ErrnoError("set the sandbox's host name", errno));
  }
  return BeginRoot(root_, request_.mount_point);
}

// Moves the runner, which is there already, into the root as well.
void Keeper::Furnish(const Furnishing& furnishing) {
  memory_mb_ = furnishing.memory_mb;
  if (request_.privacy != Privacy::kNone) {
    auto entered =
        EnterRoot(PlanFolders(furnishing.folders, furnishing.tmp_mb), request_.mount_point);
    if (!entered) return ReportFailure(entered.error());
  }
  const UniqueFd tmp(::open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC));
  const KeeperReport report{.kind = KeeperReport::Kind::kFurnished};
  if (!SendPacket(channel_.get(), BytesOf(report), {tmp.get()})) Quit();
}

void Keeper::Prepare() {
  auto ends = MakeChannel();
  if (!ends) return ReportFailure(ends.error());
  auto& [service_end, runner_end] = *ends;
  // The service learns the process's id in its own pid namespace this way.
  if (auto asked = AskForSenders(service_end.get()); !asked) return ReportFailure(asked.error());
  started_ = false;
  out_of_memory_ = false;
  ++generation_;
  runner_ = ::fork();
  if (runner_ < 0) return ReportFailure(ErrnoError("fork", errno));
  if (runner_ == 0) RunRunner(request_, runner_end.get(), output_.get(), join_files_);
  const KeeperReport report{.kind = KeeperReport::Kind::kPrepared, .generation = generation_};
  if (!SendPacket(channel_.get(), BytesOf(report), {service_end.get()})) Quit();
}

void Keeper::Serve(int child_signals) {
  pollfd waits[] = {{channel_.get(), POLLIN, 0}, {child_signals, POLLIN, 0}};
  const bool watching = started_ && request_.memory_watch == MemoryWatch::kKeeper;
  const int ready = ::poll(waits, std::size(waits), watching ? kMemoryWatchMs : -1);
  if (ready < 0 && errno != EINTR) Quit();
  if (watching) WatchMemory();
  if (ready <= 0) return;
  if (waits[1].revents != 0) {
    signalfd_siginfo ignored;
    while (::read(child_signals, &ignored, sizeof ignored) > 0) {
    }
    Reap();
  }
  if (waits[0].revents != 0) {
    const auto packet = ReceivePacket(channel_.get(), Wait::kYes);
    if (!packet || packet->bytes.empty()) Quit();
    Obey(*packet);
  }
}

void Keeper::Obey(const Packet& packet) {
  const auto command = static_cast<KeeperCommand>(packet.bytes.front());
  const std::string_view argument = std::string_view(packet.bytes).substr(1);
  switch (command) {
    case KeeperCommand::kFurnish:
      return Furnish(DecodeFurnishing(argument));
    case KeeperCommand::kPrepare:
      return Prepare();
    case KeeperCommand::kStarted:
      started_ = true;
      return;
    case KeeperCommand::kTerminate:
      if (runner_ > 0) ::kill(runner_, SIGTERM);
      return;
    case KeeperCommand::kKill:
      return KillAll();
    case KeeperCommand::kStop:
    case KeeperCommand::kContinue:
      SignalAll(command == KeeperCommand::kStop ? SIGSTOP : SIGCONT);
      return Report({.kind = KeeperReport::Kind::kAcknowledged});
    case KeeperCommand::kPeak:
      if (started_) WatchMemory();
      return Report({.kind = KeeperReport::Kind::kPeak, .peak_bytes = peak_bytes_});
    case KeeperCommand::kQuit:
      Quit();
    case KeeperCommand::kExtension:
      return StartExtension(argument, packet);
  }
}

void Keeper::StartExtension(std::string_view argument, const Packet& packet) {
  const ExtensionLaunch launch = DecodeExtensionLaunch(argument);
  KeeperReport report{.kind = KeeperReport::Kind::kExtensionFailed, .extension = launch.number};
  RunnerNote note{RunnerStep::kExecute, EINVAL};
  auto ends = MakeChannel();
  if (ends && !packet.fds.empty()) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      RunExtension(request_, launch.program, ends->second.get(), packet.fds.front().get(),
                   join_files_);
    }
    note.error_number = errno;
    ends->second.reset();
    // The exec closes the other end; a note comes instead if there is none.
    const auto answer = ReceivePacket(ends->first.get(), Wait::kYes);
    if (pid > 0 && answer && answer->bytes.empty()) {
      extensions_[pid] = launch.number;
      report.kind = KeeperReport::Kind::kExtensionStarted;
    } else if (pid > 0 && answer && answer->bytes.size() == sizeof note) {
      std::memcpy(&note, answer->bytes.data(), sizeof note);
    }
  }
  const auto sent = SendPacket(channel_.get(), std::string(BytesOf(report)).append(BytesOf(note)));
  if (!sent) Quit();
}

void Keeper::Reap() {
  rusage usage{};
  for (;;) {
    int status = 0;
    const pid_t ended = ::wait4(-1, &status, WNOHANG, &usage);
    if (ended <= 0) return;
    if (ended == runner_) {
      const auto resident = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
      // The figure covers the time before the exec too, when it was a copy of this process.
      if (resident > MemoryOf({::getpid()}).highest) peak_bytes_ = std::max(peak_bytes_, resident);
    }
    ReportExit(ended, status);
  }
}

void Keeper::ReportExit(pid_t ended, int wait_status) {
  KeeperReport report{.kind = KeeperReport::Kind::kExited,
                      .generation = generation_,
                      .wait_status = wait_status,
                      .out_of_memory = out_of_memory_ ? 1 : 0,
                      .peak_bytes = peak_bytes_};
  if (const auto extension = extensions_.extract(ended)) {
    report.kind = KeeperReport::Kind::kExtensionExited;
    report.extension = extension.mapped();
  } else if (ended == runner_) {
    runner_ = -1;
  } else {
    return;
  }
  // They were the environment: whatever they left running goes with the last of them.
  if (runner_ < 0 && extensions_.empty()) KillAll();
  Report(report);
}

void Keeper::WatchMemory() {
  const MemoryUse use = MemoryOf(Descendants(::getpid()));
  peak_bytes_ = std::max(peak_bytes_, use.highest);
  if (use.now <= std::uint64_t{1} * memory_mb_ * 1024 * 1024) return;
  out_of_memory_ = true;
  KillAll();
}

void Keeper::SignalAll(int signal) {
  if (::getpid() == 1) {
    ::kill(-1, signal);  // all but this process, at one moment: no fork slips through
    return;
  }
  // Elsewhere -1 would mean everybody, so go by the tree, until nobody new shows up in it.
  std::vector<pid_t> done;
  for (bool again = true; again;) {
    again = false;
    for (const pid_t pid : Descendants(::getpid())) {
      if (std::ranges::find(done, pid) != done.end()) continue;
      ::kill(pid, signal);
      done.push_back(pid);
      again = true;
    }
  }
}

void Keeper::KillAll() {
  SignalAll(SIGKILL);
}

void Keeper::Quit() {
  for (;;) {
    KillAll();
    // Orphans become this process's children, so that the list ends only when all are gone.
    if (::waitpid(-1, nullptr, 0) < 0 && errno == ECHILD) ::_exit(0);
  }
}

void Keeper::Report(KeeperReport report) {
  if (!SendPacket(channel_.get(), BytesOf(report))) Quit();
}

void Keeper::ReportFailure(const Error& error) {
  const KeeperReport report{.kind = KeeperReport::Kind::kFailed, .generation = generation_};
  (void)SendPacket(channel_.get(), std::string(BytesOf(report)) + error.message);
}

}  // namespace kelvin::sandbox
