#include "sandbox/host_sandbox.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/process_tree.h"
#include "sandbox/real_paths.h"
#include "sandbox/start_error.h"

namespace kelvin::sandbox {
namespace {

// A process that the kernel cannot end, say because of a dead network file system, must not hold
// up the service for longer.
constexpr int kEndMs = 5000;
// Of invokes whose memory does not seem to have grown, these are looked at all the same.
constexpr int kSampleEvery = 64;
constexpr int kFirstSamples = 4;
constexpr std::uint64_t kLeastRise = std::uint64_t{1} << 20;

std::unexpected<Error> Fail(Error error) {
  return std::unexpected(std::move(error));
}

Program ProgramOf(Privacy privacy, const SandboxFolders& folders) {
  if (privacy != Privacy::kNone) {
    return {.folder = "/var/task",
            .candidates = {"/var/runtime/bootstrap", "/var/task/bootstrap", "/opt/bootstrap"},
            .environment = {}};
  }
  Program program{.folder = folders.code, .candidates = {}, .environment = {}};
  for (const auto* folder : {&folders.runtime, &folders.code, &folders.layers}) {
    if (!folder->empty()) program.candidates.push_back((*folder / "bootstrap").native());
  }
  return program;
}

template <typename T>
bool CopyFrom(std::string_view bytes, T& value) {
  if (bytes.size() < sizeof value) return false;
  std::memcpy(&value, bytes.data(), sizeof value);
  return true;
}

}  // namespace

HostSandbox::HostSandbox(HostSandboxOwner& owner, Parts parts)
    : owner_(owner),
      serial_(parts.serial),
      privacy_(parts.privacy),
      keeper_(std::move(parts.keeper)),
      output_(std::move(parts.output)),
      group_(std::move(parts.group)),
      memory_watch_(parts.memory_watch),
      frozen_by_signals_(parts.frozen_by_signals) {}

HostSandbox::~HostSandbox() {
  Thaw();
  if (Send(KeeperCommand::kQuit)) {
    for (;;) {
      pollfd wait{keeper_.get(), POLLIN, 0};
      if (::poll(&wait, 1, kEndMs) <= 0) break;
      const auto packet = ReceivePacket(keeper_.get(), Wait::kNo);
      if (!packet || packet->bytes.empty()) break;
    }
  }
  if (keeper_.valid()) owner_.Disconnected(keeper_.get());
  if (group_ != nullptr && group_->Remove()) group_.reset();
  owner_.Destroyed(serial_, std::move(group_));
}

bool HostSandbox::Send(KeeperCommand command) {
  return keeper_.valid() && SendPacket(keeper_.get(), BytesOf(command)).has_value();
}

std::expected<void, Error> HostSandbox::Furnish(const Furnishing& furnishing,
                                                std::vector<std::string> environment) {
  folders_ = furnishing.folders;
  program_ = ProgramOf(privacy_, folders_);
  program_.environment = std::move(environment);
  if (privacy_ == Privacy::kNone) {
    for (std::string& variable : program_.environment) variable = WithRealPaths(variable, folders_);
  }
  const std::string command = std::string(1, static_cast<char>(KeeperCommand::kFurnish));
  if (keeper_.valid()) (void)SendPacket(keeper_.get(), command + Encode(furnishing));
  // While the keeper is at it.
  if (privacy_ != Privacy::kNone) alarm_ = group_->MakeAlarm();
  const int apart_mb = alarm_ != nullptr ? furnishing.tmp_mb : 0;
  if (auto set = group_->SetLimits(furnishing.memory_mb, apart_mb); !set) return set;
  auto ready = WaitUntilReady();
  if (!ready || alarm_ == nullptr) return ready;
  ceiling_ = std::uint64_t{1} * furnishing.memory_mb << 20;
  CheckMemory();
  return ready;
}

std::uint64_t HostSandbox::TmpBytes() {
  struct statfs info{};
  if (!tmp_.valid() || ::fstatfs(tmp_.get(), &info) != 0) return 0;
  const auto used = static_cast<std::uint64_t>(info.f_blocks - info.f_bfree) *
                    static_cast<std::uint64_t>(info.f_bsize);
  tmp_peak_ = std::max(tmp_peak_, used);
  return used;
}

// What counts against the ceiling.
std::uint64_t HostSandbox::MeasureMemory() {
  const std::uint64_t charged = group_->ChargedButForCache();
  const std::uint64_t used = charged - std::min(charged, TmpBytes());
  process_peak_ = std::max(process_peak_, std::min(used, ceiling_));
  return used;
}

void HostSandbox::CheckMemory() {
  if (alarm_ == nullptr || over_ceiling_) return;
  auto mark = MemoryAlarm::Mark::kPassed;
  while (mark == MemoryAlarm::Mark::kPassed) {
    const std::uint64_t used = MeasureMemory();
    if (used > ceiling_) {
      over_ceiling_ = true;
      return Kill();
    }
    mark = alarm_->SetMark(group_->Charged() + std::max(ceiling_ - used, kLeastRise));
  }
  owner_.WatchMemory(serial_, *alarm_);
}

std::expected<void, Error> HostSandbox::WaitUntilReady() {
  while (runner_ != Runner::kPrepared || !furnished_) {
    if (runner_ == Runner::kReady) return {};
    if (runner_ == Runner::kGone && Send(KeeperCommand::kPrepare)) runner_ = Runner::kPreparing;
    if (!WaitForReport()) {
      return Fail(
          {ErrorCode::kUnavailable, "the process that keeps the sandbox is gone; make another"});
    }
    if (!failure_.empty()) {
      runner_ = Runner::kGone;
      return Fail({ErrorCode::kIo, std::exchange(failure_, {})});
    }
  }
  return HearRunner();
}

std::expected<void, Error> HostSandbox::HearRunner() {
  runner_ = Runner::kSpent;
  const auto ready = ReceivePacket(runner_channel_.get(), Wait::kYes);
  RunnerNote note;
  if (!ready || !CopyFrom(ready->bytes, note)) {
    return Fail({ErrorCode::kIo, "the sandbox's process ended before it could start bootstrap"});
  }
  if (note.step != RunnerStep::kReady) return Fail(ExplainStartFailure(folders_, note));
  status_.reset(
      ::open(fmt::format("/proc/{}/status", ready->sender).c_str(), O_RDONLY | O_CLOEXEC));
  runner_ = Runner::kReady;
  return {};
}

bool HostSandbox::WaitForReport() {
  if (!keeper_.valid()) return false;
  auto packet = ReceivePacket(keeper_.get(), Wait::kYes);
  if (!packet || packet->bytes.empty()) {
    KeeperGone();
    return false;
  }
  Take(std::move(*packet));
  return true;
}

void HostSandbox::Receive() {
  while (keeper_.valid()) {
    auto packet = ReceivePacket(keeper_.get(), Wait::kNo);
    if (!packet && packet.error().code == ErrorCode::kTimeout) return;
    if (!packet || packet->bytes.empty()) return KeeperGone();
    Take(std::move(*packet));
  }
}

void HostSandbox::KeeperGone() {
  if (!keeper_.valid()) return;
  owner_.Disconnected(keeper_.get());
  keeper_.reset();
  if (runner_ == Runner::kStarted) {
    owner_.Exited(serial_, {.signaled = true, .code = SIGKILL, .out_of_memory = false});
  }
  runner_ = Runner::kGone;
  for (const auto& [number, name] : std::exchange(extensions_, {})) {
    owner_.Exited(serial_, {.signaled = true, .code = SIGKILL, .extension = name});
  }
}

void HostSandbox::Take(Packet packet) {
  KeeperReport report;
  if (!CopyFrom(packet.bytes, report)) return;
  process_peak_ = std::max(process_peak_, report.peak_bytes);
  switch (report.kind) {
    case KeeperReport::Kind::kPrepared:
      if (packet.fds.empty()) return;
      runner_channel_ = std::move(packet.fds.front());
      generation_ = report.generation;
      runner_ = Runner::kPrepared;
      return;
    case KeeperReport::Kind::kFurnished:
      furnished_ = true;
      if (!packet.fds.empty()) tmp_ = std::move(packet.fds.front());
      return;
    case KeeperReport::Kind::kExited:
      return TakeExit(report);
    case KeeperReport::Kind::kFailed:
      failure_ = packet.bytes.substr(sizeof report);
      return;
    case KeeperReport::Kind::kAcknowledged:
    case KeeperReport::Kind::kPeak:
      acknowledged_ = true;
      return;
    case KeeperReport::Kind::kExtensionStarted:
    case KeeperReport::Kind::kExtensionFailed:
    case KeeperReport::Kind::kExtensionExited:
      return TakeExtensionReport(report, std::string_view(packet.bytes).substr(sizeof report));
  }
}

ExitStatus HostSandbox::StatusOf(const KeeperReport& report) const {
  const int status = report.wait_status;
  ExitStatus exit{.signaled = WIFSIGNALED(status),
                  .code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
                  .out_of_memory = report.out_of_memory != 0};
  if (exit.signaled && exit.code == SIGKILL && group_ != nullptr &&
      (over_ceiling_ || group_->OutOfMemoryKills() > oom_kills_before_)) {
    exit.out_of_memory = true;
  }
  return exit;
}

void HostSandbox::TakeExit(const KeeperReport& report) {
  const bool started = runner_ == Runner::kStarted;
  runner_ = Runner::kGone;
  if (!started) return;
  const ExitStatus exit = StatusOf(report);
  PrepareWhenEmpty();
  owner_.Exited(serial_, exit);
}

void HostSandbox::TakeExtensionReport(const KeeperReport& report, std::string_view rest) {
  RunnerNote note;
  switch (report.kind) {
    case KeeperReport::Kind::kExtensionStarted:
      extension_answered_ = true;
      extension_started_ = {};
      return;
    case KeeperReport::Kind::kExtensionFailed:
      extension_answered_ = true;
      (void)CopyFrom(rest, note);
      extension_started_ =
          Fail(ExplainExtensionFailure(folders_, extensions_[report.extension], note));
      extensions_.erase(report.extension);
      return;
    default: {
      auto ended = extensions_.extract(report.extension);
      if (!ended) return;
      ExitStatus exit = StatusOf(report);
      exit.extension = std::move(ended.mapped());
      if (runner_ == Runner::kGone) PrepareWhenEmpty();
      owner_.Exited(serial_, exit);
    }
  }
}

// A runner that is made while extensions run would be killed with them.
void HostSandbox::PrepareWhenEmpty() {
  if (extensions_.empty() && std::exchange(over_ceiling_, false)) CheckMemory();
  // The next runner would join a frozen group and never get ready.
  Thaw();
  if (extensions_.empty() && Send(KeeperCommand::kPrepare)) runner_ = Runner::kPreparing;
}

std::expected<void, Error> HostSandbox::StartExtension(const ExtensionSpec& extension) {
  Thaw();
  if (extensions_.empty() && group_ != nullptr) oom_kills_before_ = group_->OutOfMemoryKills();
  const std::filesystem::path layers = privacy_ == Privacy::kNone ? folders_.layers : "/opt";
  ExtensionLaunch launch{
      .number = ++last_extension_,
      .program = {.folder = "/",
                  .candidates = {(layers / "extensions" / extension.name).native()},
                  .environment = {}}};
  for (const auto& [name, value] : extension.environment) {
    std::string variable = fmt::format("{}={}", name, value);
    launch.program.environment.push_back(
        privacy_ == Privacy::kNone ? WithRealPaths(variable, folders_) : std::move(variable));
  }
  const KeeperCommand command = KeeperCommand::kExtension;
  const Error gone{ErrorCode::kUnavailable,
                   "the process that keeps the sandbox is gone; make another"};
  if (!keeper_.valid()) return Fail(gone);
  auto sent = SendPacket(keeper_.get(), std::string(BytesOf(command)).append(Encode(launch)),
                         {extension.output});
  if (!sent) return sent;
  extensions_[launch.number] = extension.name;
  extension_answered_ = false;
  while (!extension_answered_) {
    if (!WaitForReport()) return Fail(gone);
  }
  return std::exchange(extension_started_, {});
}

std::expected<void, Error> HostSandbox::Start() {
  if (runner_ == Runner::kStarted) {
    return Fail({ErrorCode::kAlreadyExists, "the sandbox's bootstrap is running already"});
  }
  Thaw();
  if (auto ready = WaitUntilReady(); !ready) return ready;
  if (group_ != nullptr) {
    if (!ever_started_) {
      group_->ResetPeak();
      peak_.reset(::open(group_->PeakFile().c_str(), O_RDONLY | O_CLOEXEC));
    }
    samples_ = 0;
    oom_kills_before_ = group_->OutOfMemoryKills();
  }
  ever_started_ = true;
  if (memory_watch_ == MemoryWatch::kKeeper) (void)Send(KeeperCommand::kStarted);
  return Tell();
}

std::expected<void, Error> HostSandbox::Tell() {
  const UniqueFd channel = std::move(runner_channel_);
  runner_ = Runner::kSpent;
  if (auto told = SendPacket(channel.get(), Encode(program_)); !told) {
    if (told.error().code == ErrorCode::kInvalidArgument) return told;
    return Fail({ErrorCode::kIo, "the sandbox's process ended before it could start bootstrap"});
  }
  RunnerNote note;
  ssize_t got = -1;
  do {
    got = ::recv(channel.get(), &note, sizeof note, 0);
  } while (got < 0 && errno == EINTR);
  if (got == static_cast<ssize_t>(sizeof note)) return Fail(ExplainStartFailure(folders_, note));
  runner_ = Runner::kStarted;  // the exec has closed the runner's end
  return {};
}

void HostSandbox::Terminate() {
  if (runner_ == Runner::kStarted) (void)Send(KeeperCommand::kTerminate);
}

void HostSandbox::Kill() {
  // What the v1 freezer holds does not even die.
  Thaw();
  if (runner_ != Runner::kStarted && extensions_.empty()) return;
  (void)Send(KeeperCommand::kKill);
  if (runner_ == Runner::kPrepared || runner_ == Runner::kReady) runner_ = Runner::kSpent;
}

void HostSandbox::Freeze() {
  if (std::exchange(frozen_, true)) return;
  if (frozen_by_signals_) return WaitForAcknowledgement(KeeperCommand::kStop);
  if (group_ != nullptr) group_->Freeze();
}

void HostSandbox::Thaw() {
  if (!std::exchange(frozen_, false)) return;
  if (frozen_by_signals_) return WaitForAcknowledgement(KeeperCommand::kContinue);
  if (group_ != nullptr) group_->Thaw();
}

void HostSandbox::WaitForAcknowledgement(KeeperCommand command) {
  acknowledged_ = false;
  if (!Send(command)) return;
  while (!acknowledged_ && WaitForReport()) {
  }
}

void HostSandbox::SetCpuShare(CpuShare share) {
  if (group_ != nullptr) group_->SetCpuShare(share);
}

std::uint64_t HostSandbox::PeakMemoryBytes() {
  if (!ever_started_) return 0;
  if (memory_watch_ == MemoryWatch::kKeeper) {
    WaitForAcknowledgement(KeeperCommand::kPeak);
    return process_peak_;
  }
  const std::uint64_t charged = ChargedPeak();
  const bool moved = charged != std::exchange(charged_peak_, charged);
  // The kernel takes long to tell of a process. One whose charge does not move has hardly more.
  if (runner_ == Runner::kStarted && (moved || samples_++ % kSampleEvery < kFirstSamples)) {
    SampleFirstProcess();
  }
  if (charged > process_peak_) TmpBytes();
  return std::max(process_peak_, charged - std::min(charged, tmp_peak_));
}

std::uint64_t HostSandbox::ChargedPeak() {
  std::array<char, 32> text;
  const ssize_t got = ::pread(peak_.get(), text.data(), text.size(), 0);
  std::uint64_t bytes = 0;
  if (got > 0) std::from_chars(text.data(), text.data() + got, bytes);
  return bytes;
}

void HostSandbox::SampleFirstProcess() {
  std::array<char, 4096> text;
  const ssize_t got = ::pread(status_.get(), text.data(), text.size(), 0);
  if (got <= 0) return;
  process_peak_ =
      std::max(process_peak_, ParseHighestResident({text.data(), static_cast<std::size_t>(got)}));
}

}  // namespace kelvin::sandbox
