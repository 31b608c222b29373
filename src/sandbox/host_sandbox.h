#pragma once

#include <map>
#include <memory>
#include <string_view>

#include "sandbox/cgroups.h"
#include "sandbox/channel.h"
#include "sandbox/memory_alarm.h"
#include "sandbox/protocol.h"
#include "sandbox/sandbox.h"

namespace kelvin::sandbox {

// What a sandbox needs of the object that made it.
class HostSandboxOwner {
 public:
  virtual ~HostSandboxOwner() = default;
  // An exit was seen; Dispatch will tell.
  virtual void Exited(std::uint64_t serial, const ExitStatus& status) = 0;
  // The memory of the sandbox is to be looked at when this tells so, once.
  virtual void WatchMemory(std::uint64_t serial, const MemoryAlarm& alarm) = 0;
  // The keeper's channel is closed: nothing more will come.
  virtual void Disconnected(int channel) = 0;
  // The sandbox is gone but for a group that some process has not left yet.
  virtual void Destroyed(std::uint64_t serial, std::unique_ptr<Cgroup> group) = 0;
};

// The service's side of one keeper.
class HostSandbox final : public Sandbox {
 public:
  struct Parts {
    std::uint64_t serial = 0;
    Privacy privacy = Privacy::kNone;
    UniqueFd keeper = {};  // channel
    UniqueFd output = {};  // read end
    std::unique_ptr<Cgroup> group = {};
    MemoryWatch memory_watch = MemoryWatch::kKeeper;
    bool frozen_by_signals = false;
  };
  // `owner` outlives the object.
  HostSandbox(HostSandboxOwner& owner, Parts parts);
  ~HostSandbox() override;

  // Makes it the sandbox of one function, and waits until bootstrap could start; once.
  std::expected<void, Error> Furnish(const Furnishing& furnishing,
                                     std::vector<std::string> environment);
  // Takes what the keeper has sent. Never blocks.
  void Receive();
  // Ends the function if it has more memory than it may, and waits for when it might.
  void CheckMemory();
  int keeper_channel() const { return keeper_.get(); }

  std::expected<void, Error> Start() override;
  std::expected<void, Error> StartExtension(const ExtensionSpec& extension) override;
  void Terminate() override;
  void Kill() override;
  void Freeze() override;
  void Thaw() override;
  void SetCpuShare(CpuShare share) override;
  std::uint64_t PeakMemoryBytes() override;
  int output_fd() const override { return output_.get(); }

 private:
  enum class Runner {
    kPreparing,  // asked for
    kPrepared,   // is there
    kReady,      // waits for the word
    kStarted,    // is the bootstrap
    kSpent,      // has failed or been killed, its end is not reported yet
    kGone,
  };

  std::expected<void, Error> WaitUntilReady();
  bool Send(KeeperCommand command);
  // Waits for a report and takes it in; false when the keeper is gone.
  bool WaitForReport();
  void Take(Packet packet);
  void TakeExit(const KeeperReport& report);
  void TakeExtensionReport(const KeeperReport& report, std::string_view rest);
  ExitStatus StatusOf(const KeeperReport& report) const;
  void PrepareWhenEmpty();
  void KeeperGone();
  std::expected<void, Error> HearRunner();
  std::expected<void, Error> Tell();
  void SampleFirstProcess();
  std::uint64_t ChargedPeak();
  std::uint64_t TmpBytes();
  std::uint64_t MeasureMemory();
  void WaitForAcknowledgement(KeeperCommand command);

  HostSandboxOwner& owner_;
  const std::uint64_t serial_;
  const Privacy privacy_;
  SandboxFolders folders_;
  Program program_;
  UniqueFd keeper_;
  const UniqueFd output_;
  std::unique_ptr<Cgroup> group_;
  const MemoryWatch memory_watch_;
  const bool frozen_by_signals_;

  Runner runner_ = Runner::kPreparing;
  UniqueFd runner_channel_;
  int generation_ = 0;
  int last_extension_ = 0;
  std::map<int, std::string> extensions_;  // that run, by number
  std::expected<void, Error> extension_started_;
  bool extension_answered_ = false;
  std::string failure_;  // what the keeper last reported as failed
  bool furnished_ = false;
  bool acknowledged_ = false;
  bool frozen_ = false;
  bool ever_started_ = false;
  std::uint64_t oom_kills_before_ = 0;
  // With these, what is in /tmp is no memory of the function's.
  std::unique_ptr<MemoryAlarm> alarm_;
  UniqueFd tmp_;
  std::uint64_t ceiling_ = 0;
  std::uint64_t tmp_peak_ = 0;
  bool over_ceiling_ = false;
  UniqueFd status_;  // the first process's /proc/<pid>/status
  UniqueFd peak_;    // the group's highest charge
  std::uint64_t charged_peak_ = 0;
  int samples_ = 0;
  std::uint64_t process_peak_ = 0;  // of first processes and what the keeper saw
};

}  // namespace kelvin::sandbox
