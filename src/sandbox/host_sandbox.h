#pragma once

#include <map>
#include <memory>
#include <string_view>

#include "sandbox/cgroups.h"
#include "sandbox/channel.h"
#include "sandbox/protocol.h"
#include "sandbox/sandbox.h"

namespace kelvin::sandbox {

// What a sandbox needs of the object that made it.
class HostSandboxOwner {
 public:
  virtual ~HostSandboxOwner() = default;
  // An exit was seen; Dispatch will tell.
  virtual void Exited(std::uint64_t serial, const ExitStatus& status) = 0;
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
    SandboxFolders folders = {};
    UniqueFd keeper = {};  // channel
    UniqueFd output = {};  // read end
    std::unique_ptr<Cgroup> group = {};
    MemoryWatch memory_watch = MemoryWatch::kKeeper;
    bool frozen_by_signals = false;
  };
  // `owner` outlives the object.
  HostSandbox(HostSandboxOwner& owner, Parts parts);
  ~HostSandbox() override;

  // Waits until bootstrap could start.
  std::expected<void, Error> WaitUntilReady();
  // Takes what the keeper has sent. Never blocks.
  void Receive();
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
  void WaitForAcknowledgement(KeeperCommand command);

  HostSandboxOwner& owner_;
  const std::uint64_t serial_;
  const SandboxFolders folders_;
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
  bool acknowledged_ = false;
  bool frozen_ = false;
  bool ever_started_ = false;
  std::uint64_t oom_kills_before_ = 0;
  UniqueFd status_;                 // the first process's /proc/<pid>/status
  std::uint64_t process_peak_ = 0;  // of first processes and what the keeper saw
};

}  // namespace kelvin::sandbox
