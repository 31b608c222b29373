#include "sandbox/host_sandboxes.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <iterator>
#include <map>
#include <optional>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/cgroup_fs.h"
#include "sandbox/cgroups.h"
#include "sandbox/etc_file.h"
#include "sandbox/host_sandbox.h"
#include "sandbox/launcher.h"
#include "sandbox/process_tree.h"
#include "sandbox/root_plan.h"
#include "sandbox/sandbox.h"
#include "sandbox/syscall_filter.h"

namespace kelvin::sandbox {
namespace {

constexpr std::uint64_t kPendingSerial = 0;  // of the eventfd
constexpr std::uint64_t kMemoryOf = std::uint64_t{1}
                                    << 63;  // of a sandbox's alarm, with its serial
constexpr std::uint64_t kSpareSerial = 1;   // of the timer; sandboxes count from the next
// Sandboxes begun ahead. A cold start that finds none makes its own.
constexpr std::size_t kSpares = 2;
constexpr long kSpareDelayNs = 20'000'000;

std::expected<void, Error> CheckSpec(const SandboxSpec& spec) {
  constexpr std::string_view kIdCharacters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
  if (spec.id.empty() || spec.id.size() > 64 ||
      spec.id.find_first_not_of(kIdCharacters) != std::string::npos) {
    return std::unexpected(
        Error{ErrorCode::kInvalidArgument,
              fmt::format("expected a sandbox id of 1 to 64 characters A-Z a-z 0-9 _ -, got \"{}\"",
                          spec.id)});
  }
  if (spec.memory_mb <= 0 || spec.tmp_mb <= 0) {
    return std::unexpected(
        Error{ErrorCode::kInvalidArgument,
              fmt::format("expected memory and /tmp of at least 1 MB, got {} and {}",
                          spec.memory_mb, spec.tmp_mb)});
  }
  std::error_code ignored;
  for (const auto* folder : {&spec.code, &spec.layers, &spec.runtime, &spec.language}) {
    const bool optional = folder != &spec.code;
    if ((optional && folder->empty()) || std::filesystem::is_directory(*folder, ignored)) continue;
    return std::unexpected(
        Error{ErrorCode::kNotFound,
              fmt::format("expected what a sandbox sees of a function at {}, there is no folder",
                          folder->native())});
  }
  return {};
}

std::filesystem::path Absolute(const std::filesystem::path& path) {
  return path.empty() ? path : std::filesystem::absolute(path);
}

// The first folder on the way to `path` that neither the user nor the group may enter.
std::optional<std::filesystem::path> FirstClosedFolder(const std::filesystem::path& path, uid_t uid,
                                                       gid_t gid) {
  std::filesystem::path folder;
  for (const auto& part : std::filesystem::absolute(path)) {
    folder /= part;
    struct stat status{};
    if (::stat(folder.c_str(), &status) != 0) return folder;
    const mode_t needed = status.st_uid == uid ? S_IXUSR : status.st_gid == gid ? S_IXGRP : S_IXOTH;
    if ((status.st_mode & needed) == 0) return folder;
  }
  return std::nullopt;
}

std::string InstanceName() {
  const auto stat = ReadProcessStat(::getpid());
  return fmt::format("kelvin-{}-{}", ::getpid(), stat ? stat->start_time : 0);
}

bool IsAlive(int pid, std::uint64_t start_time) {
  const auto stat = ReadProcessStat(pid);
  return stat && stat->start_time == start_time;
}

class HostSandboxes final : public Sandboxes, public HostSandboxOwner {
 public:
  HostSandboxes(const HostOptions& options, const HostFacilities& facilities)
      : options_(options),
        facilities_(facilities),
        hosts_("/etc/hosts", std::filesystem::absolute(options.state) / "hosts", SandboxHosts),
        users_("/etc/passwd", std::filesystem::absolute(options.state) / "passwd",
               [uid = options.uid, gid = options.gid](std::string_view of_host) {
                 return SandboxUsers(of_host, uid, gid);
               }),
        cgroups_(std::make_unique<Cgroups>(fs_, facilities.cgroups, InstanceName(), ::getpid())),
        pending_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        spare_timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)),
        events_(::epoll_create1(EPOLL_CLOEXEC)) {}

  ~HostSandboxes() override {
    spares_.clear();
    launcher_.channel.reset();
    if (launcher_.pid > 0) {
      while (::waitpid(launcher_.pid, nullptr, 0) < 0 && errno == EINTR) {
      }
    }
  }

  std::expected<void, Error> Open() {
    if (!pending_.valid() || !spare_timer_.valid() || !events_.valid() ||
        !Watch(pending_.get(), kPendingSerial) || !Watch(spare_timer_.get(), kSpareSerial)) {
      return std::unexpected(ErrnoError("watch sandboxes", errno));
    }
    std::error_code failed;
    std::filesystem::create_directories(mount_point(), failed);
    if (failed) {
      return std::unexpected(
          ErrnoError(fmt::format("create {}", mount_point().native()), failed.value()));
    }
    for (EtcFile* file : {&hosts_, &users_}) {
      if (auto written = file->Update(); !written) return written;
    }
    auto launcher =
        StartLauncher(*cgroups_, PlanRoot("/", {.hosts = hosts_.path(), .users = users_.path()}));
    if (!launcher) return std::unexpected(std::move(launcher.error()));
    launcher_ = std::move(*launcher);
    auto found = FindPrivacy();
    if (!found && cgroups_->versions().memory != CgroupVersion::kNone) {
      // Groups that can be made but not joined are of no use.
      cgroups_ = std::make_unique<Cgroups>(fs_, CgroupRoots{}, InstanceName(), ::getpid());
      found = FindPrivacy();
    }
    if (found) PrepareSparesSoon();
    return found;
  }

  std::expected<std::unique_ptr<Sandbox>, Error> Create(const SandboxSpec& spec,
                                                        OnExit on_exit) override {
    if (auto checked = CheckSpec(spec); !checked) {
      return std::unexpected(std::move(checked.error()));
    }
    std::erase_if(leaving_, [](auto& group) { return group->Remove().has_value(); });
    PrepareSparesSoon();
    auto spare = TakeSpare(spec);
    auto made = spare ? std::expected<Made, Error>(std::move(*spare)) : Make(spec, privacy_);
    if (!made) return std::unexpected(std::move(made.error()));
    live_[made->first] = {made->second.get(), std::move(on_exit)};
    if (!Watch(made->second->keeper_channel(), made->first)) {
      return std::unexpected(ErrnoError("watch a sandbox", errno));
    }
    return std::move(made->second);
  }

  int event_fd() const override { return events_.get(); }

  void Dispatch() override {
    std::array<epoll_event, 64> ready;
    const int count = ::epoll_wait(events_.get(), ready.data(), ready.size(), 0);
    for (int i = 0; i < count; ++i) {
      const std::uint64_t serial = ready[static_cast<std::size_t>(i)].data.u64;
      std::uint64_t ignored = 0;
      if (serial == kPendingSerial) (void)!::read(pending_.get(), &ignored, sizeof ignored);
      if (serial == kSpareSerial) PrepareSpare();
      const auto found = live_.find(serial & ~kMemoryOf);
      if (found == live_.end()) continue;
      if ((serial & kMemoryOf) != 0) {
        found->second.sandbox->CheckMemory();
      } else {
        found->second.sandbox->Receive();
      }
    }
    while (!exits_.empty()) {
      const auto [serial, status] = exits_.front();
      exits_.pop_front();
      const auto found = live_.find(serial);
      if (found == live_.end()) continue;
      const OnExit on_exit = found->second.on_exit;  // which may destroy the sandbox
      on_exit(status);
    }
  }

  const Isolation& isolation() const override { return isolation_; }

 private:
  using Made = std::pair<std::uint64_t, std::unique_ptr<HostSandbox>>;
  struct Live {
    HostSandbox* sandbox = nullptr;
    OnExit on_exit;
  };

  std::filesystem::path mount_point() const { return options_.state / "root"; }

  bool Watch(int fd, std::uint64_t serial) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = serial;
    return ::epoll_ctl(events_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
  }

  // Tries from the best down, each by making a sandbox.
  std::expected<void, Error> FindPrivacy() {
    SandboxSpec trial{.id = "", .code = options_.state, .memory_mb = 128, .tmp_mb = 1};
    std::vector<std::pair<Privacy, std::string_view>> attempts;
    const Privacy best = facilities_.best_privacy;
    if (best == Privacy::kNamespaces && ::geteuid() == 0) {
      attempts.emplace_back(Privacy::kNamespaces, "namespaces as root");
    }
    if (best != Privacy::kNone) attempts.emplace_back(Privacy::kUserNamespaces, "user namespaces");
    attempts.emplace_back(Privacy::kNone, "an ordinary process");
    std::string refusals;
    for (const auto& [privacy, name] : attempts) {
      auto made = Make(trial, privacy);
      if (made) {
        privacy_ = privacy;
        Describe(refusals);
        return {};
      }
      refusals += fmt::format("{}{}: {}", refusals.empty() ? "" : "; ", name, made.error().message);
    }
    return std::unexpected(
        Error{ErrorCode::kPermissionDenied, fmt::format("cannot make a sandbox: {}", refusals)});
  }

  // Where no mounts bring a function its code, its user must be able to walk to it.
  void KeepFunctionsAbleToSeeTheirCode() {
    if (privacy_ != Privacy::kNone || ::geteuid() != 0 || options_.uid == 0) return;
    const auto closed = FirstClosedFolder(options_.state, options_.uid, options_.gid);
    if (!closed) return;
    isolation_.missing.push_back(fmt::format(
        "functions run as root, since user {} may not enter {}, below which their code is: open "
        "it to others with chmod o+x, or choose a state folder elsewhere",
        options_.uid, closed->native()));
    options_.uid = 0;
    options_.gid = 0;
  }

  void Describe(const std::string& refusals) {
    const CgroupVersions& versions = cgroups_->versions();
    isolation_.memory = versions.memory == CgroupVersion::kV2   ? Isolation::Memory::kCgroupV2
                        : versions.memory == CgroupVersion::kV1 ? Isolation::Memory::kCgroupV1
                                                                : Isolation::Memory::kPolled;
    isolation_.cpu = versions.cpu == CgroupVersion::kV2   ? Isolation::Cpu::kCgroupV2
                     : versions.cpu == CgroupVersion::kV1 ? Isolation::Cpu::kCgroupV1
                                                          : Isolation::Cpu::kNone;
    isolation_.freezer = versions.freezer == CgroupVersion::kV2   ? Isolation::Freezer::kCgroupV2
                         : versions.freezer == CgroupVersion::kV1 ? Isolation::Freezer::kCgroupV1
                                                                  : Isolation::Freezer::kSignals;
    isolation_.private_mounts = privacy_ != Privacy::kNone;
    KeepFunctionsAbleToSeeTheirCode();
    isolation_.unprivileged_user = ::geteuid() == 0 && options_.uid != 0;
    isolation_.system_calls_filtered = CanFilterSystemCalls();
    isolation_.sockets_scoped = CanScopeSockets();
    std::ranges::copy(cgroups_->missing(), std::back_inserter(isolation_.missing));
    if (!isolation_.system_calls_filtered) {
      isolation_.missing.emplace_back(
          "the kernel has no seccomp filters: functions may make system calls that Lambda refuses");
    }
    if (!isolation_.sockets_scoped) {
      isolation_.missing.emplace_back(
          "the kernel cannot scope abstract Unix sockets (Landlock of Linux 6.12): functions can "
          "connect to those of the host's programs");
    }
    if (::geteuid() != 0) {
      isolation_.missing.push_back(fmt::format(
          "only root can give functions a user of their own: they have the rights of user {} to "
          "what they see of the host{}",
          ::geteuid(),
          privacy_ == Privacy::kNone ? "" : ", which is /usr and /etc, and cannot change it"));
    }
    if (privacy_ == Privacy::kNone) {
      isolation_.missing.push_back(fmt::format(
          "no namespaces can be made ({}): functions see the host's files, share its /tmp, and run "
          "in the package's own folder instead of /var/task, and the name sandbox.localdomain is "
          "known only if the host's /etc/hosts has it; {}",
          refusals,
          ::geteuid() == 0
              ? "give root the right to mount (in a container CAP_SYS_ADMIN, in a chroot a root "
                "that is a mount itself, as after mount --bind ROOT ROOT)"
              : "run kelvin as root, or allow user namespaces (sysctl "
                "kernel.unprivileged_userns_clone=1, and on Ubuntu "
                "kernel.apparmor_restrict_unprivileged_userns=0)"));
    }
  }

  LaunchRequest RequestFor(Privacy privacy, MemoryWatch watch) const {
    return {.privacy = privacy,
            .memory_watch = watch,
            .uid = options_.uid,
            .gid = options_.gid,
            .mount_point = std::filesystem::absolute(mount_point())};
  }

  // A sandbox of nobody yet, which goes on getting ready by itself.
  std::expected<Made, Error> Begin(Privacy privacy) {
    const std::uint64_t serial = ++last_serial_;
    (void)hosts_.Update();  // or else the one before still serves
    (void)users_.Update();
    auto group = cgroups_->Make(fmt::format("sandbox-{}", serial));
    if (!group) return std::unexpected(std::move(group.error()));
    const MemoryWatch watch = (*group)->CountsPeak() ? MemoryWatch::kCgroup : MemoryWatch::kKeeper;

    int pipe_ends[2];
    if (::pipe2(pipe_ends, O_CLOEXEC) != 0) {
      return std::unexpected(ErrnoError("make a pipe for a sandbox's output", errno));
    }
    UniqueFd output(pipe_ends[0]);
    const UniqueFd output_writer(pipe_ends[1]);
    ::fcntl(output.get(), F_SETFL, O_NONBLOCK);
    auto channel = MakeChannel();
    if (!channel) return std::unexpected(std::move(channel.error()));

    std::vector<UniqueFd> join_files;
    std::vector<int> fds{channel->second.get(), output_writer.get()};
    for (const auto& path : (*group)->JoinFiles()) {
      join_files.emplace_back(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
      if (!join_files.back().valid()) {
        return std::unexpected(ErrnoError(fmt::format("open {}", path.native()), errno));
      }
      fds.push_back(join_files.back().get());
    }
    if (!SendPacket(launcher_.channel.get(), Encode(RequestFor(privacy, watch)), fds)) {
      return std::unexpected(
          Error{ErrorCode::kUnavailable,
                "the process that launches sandboxes is gone; restart the service"});
    }
    return Made(serial,
                std::make_unique<HostSandbox>(
                    *this, HostSandbox::Parts{.serial = serial,
                                              .privacy = privacy,
                                              .keeper = std::move(channel->first),
                                              .output = std::move(output),
                                              .group = std::move(*group),
                                              .memory_watch = watch,
                                              .frozen_by_signals = cgroups_->versions().freezer ==
                                                                   CgroupVersion::kNone}));
  }

  std::expected<Made, Error> Make(const SandboxSpec& spec, Privacy privacy) {
    auto made = Begin(privacy);
    if (!made) return made;
    auto furnished = Furnish(*made->second, spec);
    if (!furnished) return std::unexpected(std::move(furnished.error()));
    return made;
  }

  static std::expected<void, Error> Furnish(HostSandbox& sandbox, const SandboxSpec& spec) {
    std::vector<std::string> environment;
    for (const auto& [name, value] : spec.environment) {
      environment.push_back(fmt::format("{}={}", name, value));
    }
    return sandbox.Furnish({.memory_mb = spec.memory_mb,
                            .tmp_mb = spec.tmp_mb,
                            .folders = {.code = Absolute(spec.code),
                                        .layers = Absolute(spec.layers),
                                        .runtime = Absolute(spec.runtime),
                                        .language = Absolute(spec.language)}},
                           std::move(environment));
  }

  // One that was begun ahead and is as good as new.
  std::optional<Made> TakeSpare(const SandboxSpec& spec) {
    while (!spares_.empty()) {
      Made spare = std::move(spares_.front());
      spares_.pop_front();
      if (Furnish(*spare.second, spec)) return spare;
    }
    return std::nullopt;
  }

  // Later, and not while more are being asked for.
  void PrepareSparesSoon() {
    const itimerspec delay{.it_interval = {}, .it_value = {.tv_sec = 0, .tv_nsec = kSpareDelayNs}};
    ::timerfd_settime(spare_timer_.get(), 0, &delay, nullptr);
  }

  void PrepareSpare() {
    std::uint64_t ignored = 0;
    (void)!::read(spare_timer_.get(), &ignored, sizeof ignored);
    if (auto spare = Begin(privacy_))
      spares_.push_back(std::move(*spare));
    else
      return;  // whoever needs one will hear why
    if (spares_.size() < kSpares) PrepareSparesSoon();
  }

  void Exited(std::uint64_t serial, const ExitStatus& status) override {
    exits_.emplace_back(serial, status);
    const std::uint64_t one = 1;
    (void)!::write(pending_.get(), &one, sizeof one);
  }

  void WatchMemory(std::uint64_t serial, const MemoryAlarm& alarm) override {
    epoll_event event{};
    event.events = alarm.events() | EPOLLONESHOT;
    event.data.u64 = serial | kMemoryOf;
    const int fd = alarm.fd();
    if (::epoll_ctl(events_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
      ::epoll_ctl(events_.get(), EPOLL_CTL_MOD, fd, &event);
    }
  }

  void Disconnected(int channel) override {
    ::epoll_ctl(events_.get(), EPOLL_CTL_DEL, channel, nullptr);
  }

  void Destroyed(std::uint64_t serial, std::unique_ptr<Cgroup> group) override {
    live_.erase(serial);
    if (group != nullptr) leaving_.push_back(std::move(group));
  }

  HostOptions options_;
  const HostFacilities facilities_;
  EtcFile hosts_;
  EtcFile users_;
  HostCgroupFs fs_;
  std::unique_ptr<Cgroups> cgroups_;
  Launcher launcher_;
  UniqueFd pending_;  // readable when exits_ has some that no channel will announce
  UniqueFd spare_timer_;
  UniqueFd events_;
  Privacy privacy_ = Privacy::kNone;
  Isolation isolation_;
  std::uint64_t last_serial_ = kSpareSerial;
  std::map<std::uint64_t, Live> live_;
  std::deque<std::pair<std::uint64_t, ExitStatus>> exits_;
  std::deque<Made> spares_;
  std::vector<std::unique_ptr<Cgroup>> leaving_;  // groups still to be removed
};

}  // namespace

HostFacilities FindHostFacilities() {
  return {.cgroups = FindCgroupRoots(ReadFile("/proc/self/mountinfo").value_or(""),
                                     ReadFile("/proc/self/cgroup").value_or("")),
          .best_privacy = Privacy::kNamespaces};
}

std::expected<std::unique_ptr<Sandboxes>, Error> NewHostSandboxes(
    const HostOptions& options, const HostFacilities& facilities) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(options.state, ignored)) {
    return std::unexpected(Error{
        ErrorCode::kNotFound, fmt::format("expected a state folder at {}, there is none; create it",
                                          options.state.native())});
  }
  HostCgroupFs fs;
  Cgroups::RemoveStale(fs, facilities.cgroups, IsAlive);
  auto sandboxes = std::make_unique<HostSandboxes>(options, facilities);
  if (auto opened = sandboxes->Open(); !opened) return std::unexpected(std::move(opened.error()));
  return sandboxes;
}

std::expected<std::unique_ptr<Sandboxes>, Error> NewHostSandboxes(const HostOptions& options) {
  return NewHostSandboxes(options, FindHostFacilities());
}

}  // namespace kelvin::sandbox
