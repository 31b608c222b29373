#include "sandbox/launcher.h"

#include <cerrno>
#include <cstdlib>

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/channel.h"
#include "sandbox/keeper.h"
#include "sandbox/user_map.h"

namespace kelvin::sandbox {
namespace {

constexpr int kChannel = STDERR_FILENO + 1;

unsigned long NamespaceFlags(Privacy privacy) {
  constexpr unsigned long kAll = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;
  switch (privacy) {
    case Privacy::kNamespaces:
      return kAll;
    case Privacy::kUserNamespaces:
      return kAll | CLONE_NEWUSER;
    case Privacy::kNone:
      return 0;
  }
  return 0;
}

void Launch(Packet packet, const std::vector<RootStep>& root) {
  if (packet.fds.size() < 2) return;
  LaunchRequest request = DecodeLaunchRequest(packet.bytes);
  UniqueFd channel = std::move(packet.fds[0]);
  UniqueFd output = std::move(packet.fds[1]);
  packet.fds.erase(packet.fds.begin(), packet.fds.begin() + 2);
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  UniqueFd map_reader, map_writer;
  if (request.privacy == Privacy::kUserNamespaces && uid == 0) {
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) != 0) return;  // the service hears that the keeper is gone
    map_reader.reset(ends[0]);
    map_writer.reset(ends[1]);
  }
  // As fork, with namespaces; glibc's own clone would want another stack.
  const long pid =
      ::syscall(SYS_clone, NamespaceFlags(request.privacy) | SIGCHLD, nullptr, nullptr, nullptr, 0);
  if (pid < 0) {
    const Error error = ErrnoError("make the sandbox's namespaces", errno);
    const KeeperReport report{.kind = KeeperReport::Kind::kFailed};
    (void)SendPacket(channel.get(), std::string(BytesOf(report)) + error.message);
  }
  if (pid == 0) {
    ::close(kChannel);  // the service is to hear at once when the launcher is gone
    map_writer.reset();
    Keeper(root, std::move(request), std::move(channel), std::move(output), std::move(packet.fds),
           std::move(map_reader))
        .Run(uid, gid);
  }
  if (pid > 0 && map_writer.valid()) {
    MapUsersOf(static_cast<pid_t>(pid), request, std::move(map_writer));
  }
}

void Detach(int channel) {
  ::setsid();  // a Ctrl-C is for the service, which ends the sandboxes in order
  ::prctl(PR_SET_NAME, "kelvin-launcher", 0, 0, 0);
  ::signal(SIGCHLD, SIG_IGN);  // keepers need no reaping
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup2(null, STDIN_FILENO);
  ::dup2(null, STDOUT_FILENO);
  // Nothing the service has open may stay open here when it dies.
  ::dup2(channel, kChannel);
  ::close_range(kChannel + 1, ~0U, 0);
  ::fcntl(kChannel, F_SETFD, FD_CLOEXEC);
  (void)::chdir("/");
}

// Keepers copy each page they write to. What they allocate is to come from a few pages of their own
// and not from the gaps all over what the service had allocated, so fill those.
void FillGaps() {
  constexpr std::size_t kLargest = 2048;
  constexpr int kMostGaps = 10'000;
  const auto* const end = static_cast<const char*>(std::malloc(kLargest * 32));
  for (std::size_t size = kLargest; size >= 16; size -= 16) {
    for (int i = 0; i < kMostGaps; ++i) {
      void* const block = std::malloc(size);  // for ever
      if (block > end || block == nullptr) {
        std::free(block);
        break;
      }
    }
  }
}

[[noreturn]] void RunLauncher(Cgroups& cgroups, const std::vector<RootStep>& root) {
  FillGaps();
  for (;;) {
    auto packet = ReceivePacket(kChannel, Wait::kYes);
    if (!packet || packet->bytes.empty()) break;
    Launch(std::move(*packet), root);
  }
  // Keepers end by themselves when the service does, but what is frozen dies only when thawed.
  cgroups.RemoveAll();
  while (::wait(nullptr) > 0) {
  }
  cgroups.RemoveAll();
  ::_exit(0);
}

}  // namespace

std::expected<Launcher, Error> StartLauncher(Cgroups& cgroups, const std::vector<RootStep>& root) {
  auto ends = MakeChannel();
  if (!ends) return std::unexpected(std::move(ends.error()));
  const pid_t pid = ::fork();
  if (pid < 0) return std::unexpected(ErrnoError("start the launcher of sandboxes", errno));
  if (pid == 0) {
    Detach(ends->second.get());
    RunLauncher(cgroups, root);
  }
  return Launcher{.pid = pid, .channel = std::move(ends->first)};
}

}  // namespace kelvin::sandbox
