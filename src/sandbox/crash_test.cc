// What stays behind when the service, or the service and its launcher, are killed.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "sandbox/cgroup_fs.h"
#include "sandbox/channel.h"
#include "sandbox/process_tree.h"
#include "sandbox/sandbox_fixture.h"

namespace kelvin::sandbox {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

enum class Then { kRuns, kFrozen };

struct Case {
  const char* name;
  bool cgroups = true;
  bool cgroup_v2 = true;
  Privacy best_privacy = Privacy::kNamespaces;
};

class CrashTest : public ::testing::TestWithParam<Case>, public SandboxFixture {
 protected:
  CrashTest() : facilities_(FindHostFacilities()) {
    // Orphans come to this process, so that the end of the last of them can be waited for.
    ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    if (!GetParam().cgroups) facilities_.cgroups = {};
    if (!GetParam().cgroup_v2) facilities_.cgroups.unified = facilities_.cgroups.own = "";
    facilities_.best_privacy = GetParam().best_privacy;
  }
  ~CrashTest() override { ::prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0); }

  // A service in a process of its own, with one sandbox that runs.
  void StartService(Then then) {
    auto channel = MakeChannel();
    ASSERT_TRUE(channel);
    service_ = ::fork();
    ASSERT_GE(service_, 0);
    if (service_ == 0) RunService(channel->second.get(), then);
    channel->second.reset();
    auto packet = ReceivePacket(channel->first.get(), Wait::kYes);
    ASSERT_TRUE(packet);
    ASSERT_EQ(packet->fds.size(), 1U) << "the service could not start its sandbox";
    output_ = std::move(packet->fds[0]);
    for (const pid_t pid : Descendants(service_)) {
      const auto stat = ReadProcessStat(pid);
      if (stat && stat->parent == service_) launcher_ = pid;
    }
    ASSERT_GT(launcher_, 0);
  }

  void WaitUntilNoProcessIsLeft() {
    while (::waitpid(-1, nullptr, 0) > 0) {
    }
    EXPECT_EQ(errno, ECHILD);
    EXPECT_TRUE(AllWritersAreGone(output_.get()));
  }

  std::vector<std::string> LeftCgroups() const {
    std::vector<std::string> left;
    HostCgroupFs fs;
    const CgroupRoots& roots = facilities_.cgroups;
    for (const auto* root :
         {&roots.memory, &roots.cpu, &roots.pids, &roots.freezer, &roots.unified}) {
      if (root->empty()) continue;
      for (const std::string& name : fs.Folders(*root)) {
        if (name.starts_with(fmt::format("kelvin-{}-", service_))) left.push_back(name);
      }
    }
    return left;
  }

  HostFacilities facilities_;
  pid_t service_ = -1;
  pid_t launcher_ = -1;
  UniqueFd output_;

 private:
  [[noreturn]] void RunService(int channel, Then then) {
    auto made = NewHostSandboxes({.state = state()}, facilities_);
    if (!made) ::_exit(1);
    auto sandbox = (*made)->Create(Spec("daemonise"), [](ExitStatus) {});
    if (!sandbox || !(*sandbox)->Start()) ::_exit(1);
    ReadLine(**sandbox);
    ReadLine(**sandbox);  // the daemon is there too
    if (then == Then::kFrozen) (*sandbox)->Freeze();
    (void)SendPacket(channel, "running", {(*sandbox)->output_fd()});
    for (;;) ::pause();
  }
};

INSTANTIATE_TEST_SUITE_P(
    On, CrashTest,
    ::testing::Values(
        Case{.name = "AllThereIs"}, Case{.name = "CgroupV1", .cgroup_v2 = false},
        Case{.name = "UserNamespaces", .cgroups = false, .best_privacy = Privacy::kUserNamespaces},
        Case{.name = "NoNamespaces", .cgroups = false, .best_privacy = Privacy::kNone}),
    [](const auto& param) { return std::string(param.param.name); });

TEST_P(CrashTest, AKilledServiceLeavesNothing) {
  StartService(Then::kRuns);
  if (HasFatalFailure()) return;
  ::kill(service_, SIGKILL);
  WaitUntilNoProcessIsLeft();
  EXPECT_TRUE(LeftCgroups().empty());
  EXPECT_THAT(ReadFile("/proc/self/mountinfo").value(), Not(HasSubstr(folder().native())));
}

TEST_P(CrashTest, AKilledServiceLeavesNothingFrozen) {
  StartService(Then::kFrozen);
  if (HasFatalFailure()) return;
  ::kill(service_, SIGKILL);
  WaitUntilNoProcessIsLeft();
  EXPECT_TRUE(LeftCgroups().empty());
}

TEST_P(CrashTest, AKilledLauncherEndsItsSandboxesAndIsReported) {
  Open(facilities_);
  auto& sandbox = Create("wait");
  ASSERT_TRUE(Started(sandbox));
  EXPECT_EQ(ReadLine(sandbox), "ready");
  pid_t launcher = 0;
  for (const pid_t pid : Descendants(::getpid())) {
    const auto stat = ReadProcessStat(pid);
    if (stat && stat->parent == ::getpid()) launcher = pid;
  }
  ASSERT_GT(launcher, 0);
  ::kill(launcher, SIGKILL);
  const ExitStatus exit = WaitForExit(sandbox);
  EXPECT_EQ(exit.code, SIGKILL);
  EXPECT_FALSE(sandbox.Start());
  auto made = sandboxes().Create(Spec("wait"), [](ExitStatus) {});
  // One that was being begun ahead at that moment may serve still.
  while (made) made = sandboxes().Create(Spec("wait"), [](ExitStatus) {});
  EXPECT_EQ(made.error().code, ErrorCode::kUnavailable);
}

TEST_P(CrashTest, TheNextServiceCleansUpWhenTheLauncherWasKilledToo) {
  Open(facilities_);
  const Isolation isolation = sandboxes().isolation();
  Close();
  if (!isolation.private_mounts && isolation.freezer == Isolation::Freezer::kSignals) {
    GTEST_SKIP() << "without a pid namespace or cgroups nothing tells whose a daemon was";
  }
  StartService(Then::kFrozen);
  if (HasFatalFailure()) return;
  ::kill(launcher_, SIGSTOP);  // so that it does not clean up in time
  ::kill(service_, SIGKILL);
  ::kill(launcher_, SIGKILL);
  ::waitpid(service_, nullptr, 0);
  ::waitpid(launcher_, nullptr, 0);
  Open(facilities_);
  Close();
  WaitUntilNoProcessIsLeft();
  EXPECT_TRUE(LeftCgroups().empty());
}

}  // namespace
}  // namespace kelvin::sandbox
