#include "sandbox/host_sandboxes.h"

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <functional>
#include <set>

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "sandbox/process_tree.h"
#include "sandbox/sandbox_fixture.h"

namespace kelvin::sandbox {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

// A host as it is, or with less than it has.
struct Host {
  const char* name;
  bool cgroup_v1 = true;
  bool cgroup_v2 = true;
  Privacy best_privacy = Privacy::kNamespaces;
};

HostFacilities FacilitiesOf(const Host& host) {
  HostFacilities facilities = FindHostFacilities();
  facilities.best_privacy = host.best_privacy;
  if (!host.cgroup_v2) facilities.cgroups.unified = facilities.cgroups.own = "";
  if (!host.cgroup_v1) {
    facilities.cgroups = {.memory = "",
                          .cpu = "",
                          .pids = "",
                          .freezer = "",
                          .unified = facilities.cgroups.unified,
                          .own = facilities.cgroups.own};
  }
  return facilities;
}

class HostSandboxesTest : public ::testing::TestWithParam<Host>, public SandboxFixture {
 protected:
  void SetUp() override { Open(FacilitiesOf(GetParam())); }
};

INSTANTIATE_TEST_SUITE_P(
    On, HostSandboxesTest,
    ::testing::Values(Host{.name = "AllThereIs"}, Host{.name = "CgroupV1", .cgroup_v2 = false},
                      Host{.name = "CgroupV2", .cgroup_v1 = false},
                      Host{.name = "NoCgroups", .cgroup_v1 = false, .cgroup_v2 = false},
                      Host{.name = "UserNamespaces",
                           .cgroup_v1 = false,
                           .cgroup_v2 = false,
                           .best_privacy = Privacy::kUserNamespaces},
                      Host{.name = "NoNamespaces",
                           .cgroup_v1 = false,
                           .cgroup_v2 = false,
                           .best_privacy = Privacy::kNone}),
    [](const auto& param) { return std::string(param.param.name); });

#define REQUIRE_PRIVATE_MOUNTS()                                                         \
  if (!sandboxes().isolation().private_mounts) {                                         \
    GTEST_SKIP() << "this host allows no mount namespaces, or they are off in this run"; \
  }

TEST_P(HostSandboxesTest, ReportsTheExitStatus) {
  auto& sandbox = Create("exit 7");
  ASSERT_TRUE(Started(sandbox));
  const ExitStatus exit = WaitForExit(sandbox);
  EXPECT_FALSE(exit.signaled);
  EXPECT_EQ(exit.code, 7);
  EXPECT_FALSE(exit.out_of_memory);
}

TEST_P(HostSandboxesTest, ReportsTheSignal) {
  auto& sandbox = Create(fmt::format("raise {}", SIGSEGV));
  ASSERT_TRUE(Started(sandbox));
  const ExitStatus exit = WaitForExit(sandbox);
  EXPECT_TRUE(exit.signaled);
  EXPECT_EQ(exit.code, SIGSEGV);
}

TEST_P(HostSandboxesTest, PreparesTheProcessAsLambdaDoes) {
  auto& sandbox = Create("describe");
  ASSERT_TRUE(Started(sandbox));
  const std::string line = ReadLine(sandbox);
  EXPECT_THAT(line, AllOf(HasSubstr("nofile 1024 "), HasSubstr(" fds 0 "), HasSubstr(" blocked 0 "),
                          HasSubstr(" sigpipe default "), HasSubstr(" leader yes")));
  if (sandboxes().isolation().private_mounts) {
    EXPECT_THAT(line, HasSubstr(" cwd /var/task "));
  }
  if (sandboxes().isolation().private_mounts || ::geteuid() == 0) {
    EXPECT_THAT(line, HasSubstr("uid 993 gid 990 "));
  }
}

TEST_P(HostSandboxesTest, RunsWhereFunctionsCannotWalkToTheirCode) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives functions another user";
  Close();
  std::filesystem::permissions(folder(), std::filesystem::perms(0700));
  Open(FacilitiesOf(GetParam()));
  auto& sandbox = Create("describe");
  ASSERT_TRUE(Started(sandbox));
  const Isolation& isolation = sandboxes().isolation();
  const std::string line = ReadLine(sandbox);
  if (isolation.private_mounts) {
    EXPECT_THAT(line, HasSubstr("uid 993 gid 990 "));
    return;
  }
  EXPECT_THAT(line, HasSubstr("uid 0 gid 0 "));
  EXPECT_FALSE(isolation.unprivileged_user);
  EXPECT_THAT(isolation.missing,
              Contains(AllOf(HasSubstr("functions run as root"), HasSubstr(folder().native()))));
}

TEST_P(HostSandboxesTest, GivesExactlyTheEnvironmentAskedFor) {
  auto& sandbox = Create("environment");
  ASSERT_TRUE(Started(sandbox));
  EXPECT_EQ(ReadLine(sandbox), "DO=environment");
  EXPECT_EQ(ReadLine(sandbox), "EMPTY=");
  WaitForExit(sandbox);
  EXPECT_EQ(ReadWhatIsThere(sandbox), "");
}

TEST_P(HostSandboxesTest, TellsTheProcessWhereItsFoldersAre) {
  SandboxSpec spec = Spec("environment");
  spec.environment.emplace_back("LAMBDA_TASK_ROOT", "/var/task");
  spec.environment.emplace_back("LD_LIBRARY_PATH", "/lib64:/var/task/lib:/opt/lib");
  spec.environment.emplace_back("MINE", "/var/task");
  auto& sandbox = Create(spec);
  ASSERT_TRUE(Started(sandbox));
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < spec.environment.size(); ++i) lines.push_back(ReadLine(sandbox));
  const std::string root =
      sandboxes().isolation().private_mounts ? "/var/task" : (folder() / "code").native();
  EXPECT_THAT(lines, Contains("LAMBDA_TASK_ROOT=" + root));
  EXPECT_THAT(lines, Contains("LD_LIBRARY_PATH=/lib64:" + root + "/lib:/opt/lib"));
  EXPECT_THAT(lines, Contains("MINE=/var/task"));
}

TEST_P(HostSandboxesTest, StartsAgainAfterAnExitWithTheSameTmp) {
  REQUIRE_PRIVATE_MOUNTS();
  auto& sandbox = Create("count-runs");
  for (const char* line : {"run 1", "run 2", "run 3"}) {
    ASSERT_TRUE(Started(sandbox));
    EXPECT_EQ(ReadLine(sandbox), line);
    WaitForExit(sandbox);
  }
}

TEST_P(HostSandboxesTest, KeepsTmpApartFromOtherSandboxesAndTheHost) {
  REQUIRE_PRIVATE_MOUNTS();
  for (int i = 0; i < 2; ++i) {
    auto& sandbox = Create("count-runs");
    ASSERT_TRUE(Started(sandbox));
    EXPECT_EQ(ReadLine(sandbox), "run 1");
    WaitForExit(sandbox);
  }
  auto& sandbox = Create(fmt::format("look {}", folder().native()));
  ASSERT_TRUE(Started(sandbox));
  EXPECT_EQ(ReadLine(sandbox), "No such file or directory");
}

TEST_P(HostSandboxesTest, RefusesWritesEverywhereButInTmp) {
  REQUIRE_PRIVATE_MOUNTS();
  auto& sandbox = Create("write-everywhere");
  ASSERT_TRUE(Started(sandbox));
  for (const char* folder : {"/var/task", "", "/usr", "/etc", "/opt"}) {
    EXPECT_EQ(ReadLine(sandbox), fmt::format("{}/x: Read-only file system", folder));
  }
  EXPECT_EQ(ReadLine(sandbox), "/tmp/x: written");
}

TEST_P(HostSandboxesTest, LimitsTheSizeOfTmp) {
  REQUIRE_PRIVATE_MOUNTS();
  auto& sandbox = Create("fill-tmp", {.tmp_mb = 8});
  ASSERT_TRUE(Started(sandbox));
  EXPECT_EQ(ReadLine(sandbox), "No space left on device after 8 MB");
}

TEST_P(HostSandboxesTest, DoesNotCountTmpAsMemory) {
  REQUIRE_PRIVATE_MOUNTS();
  auto& sandbox = Create("fill-tmp-and-use 64", {.memory_mb = 128, .tmp_mb = 512});
  ASSERT_TRUE(Started(sandbox));
  EXPECT_EQ(ReadLine(sandbox), "No space left on device after 512 MB");
  EXPECT_EQ(ReadLine(sandbox), "ready");
  EXPECT_GE(sandbox.PeakMemoryBytes(), 64U << 20);
  EXPECT_LE(sandbox.PeakMemoryBytes(), 96U << 20);
}

TEST_P(HostSandboxesTest, KillsAtTheMemoryCeilingWithAFullTmpToo) {
  REQUIRE_PRIVATE_MOUNTS();
  auto& sandbox = Create("fill-tmp-and-hog", {.memory_mb = 128, .tmp_mb = 256});
  ASSERT_TRUE(Started(sandbox));
  EXPECT_EQ(ReadLine(sandbox), "No space left on device after 256 MB");
  EXPECT_TRUE(WaitForExit(sandbox).out_of_memory);
}

TEST_P(HostSandboxesTest, KillsAtTheMemoryCeiling) {
  auto& sandbox = Create("hog", {.memory_mb = 128});
  ASSERT_TRUE(Started(sandbox));
  const ExitStatus exit = WaitForExit(sandbox);
  EXPECT_TRUE(exit.signaled);
  EXPECT_EQ(exit.code, SIGKILL);
  EXPECT_TRUE(exit.out_of_memory);
  EXPECT_GT(sandbox.PeakMemoryBytes(), 100U << 20);
}

TEST_P(HostSandboxesTest, DoesNotCallAnOrdinaryKillOutOfMemory) {
  auto& sandbox = Create("wait");
  ASSERT_TRUE(Started(sandbox));
  EXPECT_EQ(ReadLine(sandbox), "ready");
  sandbox.Kill();
  const ExitStatus exit = WaitForExit(sandbox);
  EXPECT_EQ(exit.code, SIGKILL);
  EXPECT_FALSE(exit.out_of_memory);
}

TEST_P(HostSandboxesTest, TellsTheHighestMemoryOfARunningFunction) {
  auto& sandbox = Create("use 32");
  EXPECT_EQ(sandbox.PeakMemoryBytes(), 0U);
  ASSERT_TRUE(Started(sandbox));
  EXPECT_EQ(ReadLine(sandbox), "ready");
  EXPECT_GE(sandbox.PeakMemoryBytes(), 32U << 20);
  EXPECT_LT(sandbox.PeakMemoryBytes(), 64U << 20);
}

TEST_P(HostSandboxesTest, CountsASmallFunctionAsSmall) {
  auto& sandbox = Create("wait");
  ASSERT_TRUE(Started(sandbox));
  EXPECT_EQ(ReadLine(sandbox), "ready");
  // Without a cgroup and before Linux 6.2 it lacks what the kernel has not added up yet.
  const bool polled = sandboxes().isolation().memory == Isolation::Memory::kPolled;
  EXPECT_GT(sandbox.PeakMemoryBytes(), polled ? 0U : 200U << 10);
  EXPECT_LT(sandbox.PeakMemoryBytes(), 6U << 20);
}

TEST_P(HostSandboxesTest, SurvivesAForkBomb) {
  if (std::ranges::any_of(sandboxes().isolation().missing,
                          [](const std::string& text) { return text.contains("pids cgroup"); })) {
    GTEST_SKIP() << "no pids cgroup here: a fork bomb would take the host's processes";
  }
  auto& sandbox = Create("fork-bomb", {.memory_mb = 512});
  ASSERT_TRUE(Started(sandbox));
  EXPECT_EQ(ReadLine(sandbox), "forked 1023");
  sandbox.Kill();
  EXPECT_EQ(WaitForExit(sandbox).code, SIGKILL);
}

TEST_P(HostSandboxesTest, TerminateEndsAFunctionThatListensToIt) {
  auto& sandbox = Create("wait");
  ASSERT_TRUE(Started(sandbox));
  EXPECT_EQ(ReadLine(sandbox), "ready");
  sandbox.Terminate();
  EXPECT_EQ(WaitForExit(sandbox).code, SIGTERM);
}

TEST_P(HostSandboxesTest, KillEndsAFunctionThatIgnoresTerminate) {
  auto& sandbox = Create("ignore-sigterm");
  ASSERT_TRUE(Started(sandbox));
  EXPECT_EQ(ReadLine(sandbox), "ready");
  sandbox.Terminate();
  sandbox.Kill();
  EXPECT_EQ(WaitForExit(sandbox).code, SIGKILL);
}

TEST_P(HostSandboxesTest, DestroyingASandboxEndsItsDaemons) {
  auto& sandbox = Create("daemonise");
  ASSERT_TRUE(Started(sandbox));
  EXPECT_THAT((std::set{ReadLine(sandbox), ReadLine(sandbox)}),
              UnorderedElementsAre("ready", "daemon"));
  const UniqueFd output(::fcntl(sandbox.output_fd(), F_DUPFD_CLOEXEC, 0));
  Destroy(sandbox);
  EXPECT_TRUE(AllWritersAreGone(output.get()));
}

TEST_P(HostSandboxesTest, WhatTheFirstProcessLeavesBehindEndsWithIt) {
  auto& sandbox = Create("leave-a-child");
  const UniqueFd output(::fcntl(sandbox.output_fd(), F_DUPFD_CLOEXEC, 0));
  ASSERT_TRUE(Started(sandbox));
  EXPECT_EQ(WaitForExit(sandbox).code, 0);
  Destroy(sandbox);
  EXPECT_TRUE(AllWritersAreGone(output.get()));
}

TEST_P(HostSandboxesTest, AFrozenFunctionMakesNoProgressUntilThawed) {
  auto& sandbox = Create("count");
  ASSERT_TRUE(Started(sandbox));
  EXPECT_EQ(ReadLine(sandbox), "tick");
  for (int round = 0; round < 3; ++round) {
    sandbox.Freeze();
    DrainUntilSilent(sandbox);
    sandbox.Thaw();
    EXPECT_EQ(ReadLine(sandbox), "tick");
  }
}

TEST_P(HostSandboxesTest, AFrozenFunctionCanBeKilledAndStartedAgain) {
  auto& sandbox = Create("count");
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(Started(sandbox));
    EXPECT_EQ(ReadLine(sandbox), "tick");
    sandbox.Freeze();
    sandbox.Kill();
    EXPECT_EQ(WaitForExit(sandbox).code, SIGKILL);
    ReadWhatIsThere(sandbox);
  }
}

TEST_P(HostSandboxesTest, AFrozenSandboxCanBeDestroyed) {
  auto& sandbox = Create("count");
  ASSERT_TRUE(Started(sandbox));
  EXPECT_EQ(ReadLine(sandbox), "tick");
  sandbox.Freeze();
  const UniqueFd output(::fcntl(sandbox.output_fd(), F_DUPFD_CLOEXEC, 0));
  Destroy(sandbox);
  EXPECT_TRUE(AllWritersAreGone(output.get()));
}

TEST_P(HostSandboxesTest, ReportsAnExitSeenWhileStartingAgain) {
  auto& sandbox = Create("exit 5");
  ASSERT_TRUE(Started(sandbox));
  // Without a Dispatch in between: the exit has to be waited for here.
  while (true) {
    auto again = sandbox.Start();
    if (again) break;
    ASSERT_EQ(again.error().code, ErrorCode::kAlreadyExists);
    WaitForExit(sandbox);
  }
  EXPECT_EQ(WaitForExit(sandbox).code, 5);
}

TEST_P(HostSandboxesTest, ReportsNothingOfADestroyedSandbox) {
  auto& gone = Create("exit 1");
  ASSERT_TRUE(Started(gone));
  Destroy(gone);
  auto& other = Create("exit 2");
  ASSERT_TRUE(Started(other));
  EXPECT_EQ(WaitForExit(other).code, 2);
}

TEST_P(HostSandboxesTest, ACallbackMayDestroyItsSandbox) {
  bool exited = false;
  std::unique_ptr<Sandbox> sandbox;
  auto made = sandboxes().Create(Spec("exit 0"), [&](ExitStatus) {
    exited = true;
    sandbox.reset();
  });
  ASSERT_TRUE(made) << made.error().message;
  sandbox = std::move(*made);
  ASSERT_TRUE(sandbox->Start());
  while (!exited) DispatchOnce();
  EXPECT_EQ(sandbox, nullptr);
}

// A pipe for what extensions print.
struct Pipe {
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    reader.reset(ends[0]);
    writer.reset(ends[1]);
  }
  std::string ReadLine() const {
    std::string line;
    for (char next = 0; ::read(reader.get(), &next, 1) == 1 && next != '\n';) line += next;
    return line;
  }
  UniqueFd reader;
  UniqueFd writer;
};

TEST_P(HostSandboxesTest, StartsExtensionsBesideTheBootstrap) {
  AddExtension("one");
  AddExtension("two");
  const Pipe pipe;
  auto& sandbox = Create("exit 7");
  ASSERT_TRUE(StartExtension(sandbox, "one", "describe", pipe.writer.get()));
  EXPECT_THAT(pipe.ReadLine(), AllOf(HasSubstr("nofile 1024 "), HasSubstr(" cwd / "),
                                     HasSubstr(" fds 0 "), HasSubstr(" leader yes")));
  const ExitStatus one = WaitForExit(sandbox);
  EXPECT_EQ(one.extension, "one");
  EXPECT_EQ(one.code, 0);

  ASSERT_TRUE(StartExtension(sandbox, "two", "wait", pipe.writer.get()));
  EXPECT_EQ(pipe.ReadLine(), "ready");
  ASSERT_TRUE(Started(sandbox));
  const ExitStatus first = WaitForExit(sandbox);
  EXPECT_EQ(first.extension, "");
  EXPECT_EQ(first.code, 7);
  // It has outlived the first process.
  sandbox.Kill();
  const ExitStatus two = WaitForExit(sandbox);
  EXPECT_EQ(two.extension, "two");
  EXPECT_EQ(two.code, SIGKILL);
  ASSERT_TRUE(Started(sandbox));
  EXPECT_EQ(WaitForExit(sandbox).code, 7);
}

TEST_P(HostSandboxesTest, StartsAgainWhenExtensionsWereKilledBeforeTheBootstrapStarted) {
  AddExtension("one");
  const Pipe pipe;
  auto& sandbox = Create("exit 7");
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(StartExtension(sandbox, "one", "ignore-sigterm", pipe.writer.get()));
    EXPECT_EQ(pipe.ReadLine(), "ready");
    sandbox.Kill();
    EXPECT_EQ(WaitForExit(sandbox).extension, "one");
    ASSERT_TRUE(Started(sandbox));
    EXPECT_EQ(WaitForExit(sandbox).code, 7);
  }
}

TEST_P(HostSandboxesTest, SaysWhyAnExtensionCannotStart) {
  AddExtension("shut", 0644);
  const Pipe pipe;
  auto& sandbox = Create("exit 7");
  const auto shut = StartExtension(sandbox, "shut", "wait", pipe.writer.get());
  ASSERT_FALSE(shut);
  EXPECT_EQ(shut.error().code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(shut.error().message, "fork/exec /opt/extensions/shut: permission denied");
  const auto missing = StartExtension(sandbox, "missing", "wait", pipe.writer.get());
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kInvalidArgument);
  ASSERT_TRUE(Started(sandbox));
  EXPECT_EQ(WaitForExit(sandbox).code, 7);
}

TEST_P(HostSandboxesTest, StartsAScript) {
  WriteBootstrap("#!/bin/sh\necho from a script\nexit 4\n", 0755);
  auto& sandbox = Create("");
  ASSERT_TRUE(Started(sandbox));
  EXPECT_EQ(ReadLine(sandbox), "from a script");
  EXPECT_EQ(WaitForExit(sandbox).code, 4);
}

TEST_P(HostSandboxesTest, KnowsTheNamesThatLambdaGivesASandbox) {
  REQUIRE_PRIVATE_MOUNTS();
  for (const char* name : {"sandbox.localdomain", "localhost"}) {
    WriteBootstrap(fmt::format("#!/bin/sh\ngetent hosts {} || echo unknown\n", name), 0755);
    auto& sandbox = Create("");
    ASSERT_TRUE(Started(sandbox));
    EXPECT_THAT(ReadLine(sandbox), AnyOf(StartsWith("127.0.0.1 "), StartsWith("::1 ")));
  }
}

TEST_P(HostSandboxesTest, KeepsTheNamesOfTheHost) {
  WriteBootstrap("#!/bin/sh\nexec cat /etc/hosts\n", 0755);
  auto& sandbox = Create("");
  ASSERT_TRUE(Started(sandbox));
  EXPECT_EQ(WaitForExit(sandbox).code, 0);
  EXPECT_THAT(ReadWhatIsThere(sandbox), HasSubstr(ReadFile("/etc/hosts").value()));
}

TEST_P(HostSandboxesTest, KnowsTheUserThatFunctionsAreOnLambda) {
  REQUIRE_PRIVATE_MOUNTS();
  WriteBootstrap("#!/bin/sh\ngetent passwd $(id -u)\n", 0755);
  auto& sandbox = Create("");
  ASSERT_TRUE(Started(sandbox));
  EXPECT_EQ(ReadLine(sandbox), "sbx_user1051:x:993:990::/home/sbx_user1051:/sbin/nologin");
}

// As files below /run do.
TEST_P(HostSandboxesTest, DoesWithoutAFileThatHasGone) {
  for (const char* name : {"hosts", "passwd"}) std::filesystem::remove(state() / name);
  auto& sandbox = Create("exit 7");
  ASSERT_TRUE(Started(sandbox));
  EXPECT_EQ(WaitForExit(sandbox).code, 7);
}

TEST_P(HostSandboxesTest, SaysThatBootstrapIsMissing) {
  std::filesystem::remove(bootstrap());
  auto started = Create("").Start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(started.error().message, HasSubstr("bootstrap"));
}

TEST_P(HostSandboxesTest, SaysThatBootstrapIsNotExecutable) {
  std::filesystem::permissions(bootstrap(), std::filesystem::perms(0644));
  auto started = Create("").Start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::kPermissionDenied);
  EXPECT_THAT(started.error().message, HasSubstr("chmod 755"));
}

TEST_P(HostSandboxesTest, SaysThatBootstrapIsForAnotherArchitecture) {
  std::string program = ReadFile(bootstrap()).value();
  auto* const header = reinterpret_cast<Elf64_Ehdr*>(program.data());
  header->e_machine = header->e_machine == EM_S390 ? EM_X86_64 : EM_S390;
  WriteBootstrap(program, 0755);
  auto started = Create("").Start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(started.error().message, HasSubstr("this machine"));
}

TEST_P(HostSandboxesTest, SaysThatBootstrapIsNoProgram) {
  WriteBootstrap("just text\n", 0755);
  auto& sandbox = Create("");
  for (int attempt = 0; attempt < 2; ++attempt) {
    auto started = sandbox.Start();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(started.error().message, HasSubstr("#!"));
  }
}

TEST_P(HostSandboxesTest, SaysThatTheInterpreterIsMissing) {
  WriteBootstrap("#!/no/such/interpreter\n", 0755);
  auto started = Create("").Start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(started.error().message, HasSubstr("interpreter"));
}

TEST_P(HostSandboxesTest, RefusesASpecThatBreaksTheRules) {
  const SandboxSpec good = Spec("wait");
  SandboxSpec bad_id = good;
  bad_id.id = "../x";
  SandboxSpec bad_memory = good;
  bad_memory.memory_mb = 0;
  for (const SandboxSpec& spec : {bad_id, bad_memory}) {
    auto made = sandboxes().Create(spec, [](ExitStatus) {});
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, ErrorCode::kInvalidArgument);
  }
  SandboxSpec no_code = good;
  no_code.code = folder() / "nothing";
  auto made = sandboxes().Create(no_code, [](ExitStatus) {});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kNotFound);
}

// Of what "system-calls" prints.
void ExpectRefusals(const std::function<std::string()>& read_line) {
  int refused = 0;
  for (std::string line = read_line(); line != "done"; line = read_line()) {
    const bool hidden = line.starts_with("clone3: ");
    EXPECT_THAT(line,
                HasSubstr(hidden ? ": Function not implemented" : ": Operation not permitted"));
    ++refused;
  }
  EXPECT_GT(refused, 20);
  EXPECT_EQ(read_line(), "forked and threaded");
}

TEST_P(HostSandboxesTest, RefusesTheSystemCallsThatLambdaRefuses) {
  if (!sandboxes().isolation().system_calls_filtered) GTEST_SKIP() << "no seccomp on this host";
  auto& sandbox = Create("system-calls");
  ASSERT_TRUE(Started(sandbox));
  ExpectRefusals([&] { return ReadLine(sandbox); });
}

// What the extension can do, the function can have done.
TEST_P(HostSandboxesTest, RefusesTheSameSystemCallsToExtensions) {
  if (!sandboxes().isolation().system_calls_filtered) GTEST_SKIP() << "no seccomp on this host";
  AddExtension("one");
  const Pipe pipe;
  auto& sandbox = Create("wait");
  ASSERT_TRUE(StartExtension(sandbox, "one", "system-calls", pipe.writer.get()));
  ExpectRefusals([&] { return pipe.ReadLine(); });
}

TEST_P(HostSandboxesTest, HoldsExtensionsToTheLimitsOfTheFunction) {
  AddExtension("one");
  const Pipe pipe;
  auto& sandbox = Create("describe");
  ASSERT_TRUE(StartExtension(sandbox, "one", "describe", pipe.writer.get()));
  const auto but_for_folder = [](const std::string& line) {
    const std::size_t folder = line.find(" cwd ");
    return line.substr(0, folder) + line.substr(line.find(" fds ", folder));
  };
  const std::string extension = but_for_folder(pipe.ReadLine());
  WaitForExit(sandbox);
  ASSERT_TRUE(Started(sandbox));
  EXPECT_EQ(extension, but_for_folder(ReadLine(sandbox)));
  EXPECT_THAT(extension, AllOf(HasSubstr(" nofile 1024 cores 0 "), HasSubstr(" no_new_privs 1 ")));
  if (sandboxes().isolation().system_calls_filtered) {
    EXPECT_THAT(extension, HasSubstr(" seccomp 2"));
  }
}

TEST_P(HostSandboxesTest, KeepsFunctionsFromAbstractSocketsOfTheHost) {
  if (!sandboxes().isolation().sockets_scoped) GTEST_SKIP() << "no Landlock scopes on this host";
  const UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  const std::string name = fmt::format("kelvin-test-{}", ::getpid());
  name.copy(address.sun_path + 1, name.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  auto& sandbox = Create("connect " + name);
  ASSERT_TRUE(Started(sandbox));
  EXPECT_EQ(ReadLine(sandbox), "Operation not permitted");
}

// The files themselves, not how they are protected.
TEST_P(HostSandboxesTest, HidesWhatIsNoneOfTheFunctionsBusiness) {
  REQUIRE_PRIVATE_MOUNTS();
  for (const char* path : {"/root", "/home", "/run/lock", "/var/lib", "/var/run", "/boot", "/sys",
                           "/dev/mem", "/dev/shm", "/mnt", "/srv"}) {
    auto& sandbox = Create(fmt::format("look {}", path));
    ASSERT_TRUE(Started(sandbox));
    EXPECT_EQ(ReadLine(sandbox), "No such file or directory") << path;
  }
  auto& shadow = Create("read /etc/shadow");
  ASSERT_TRUE(Started(shadow));
  EXPECT_THAT(ReadLine(shadow), AnyOf("Permission denied", "No such file or directory"));
  for (const int pid : {::getpid(), 1}) {
    auto& process = Create(fmt::format("read /proc/{}/environ", pid));
    ASSERT_TRUE(Started(process));
    EXPECT_THAT(ReadLine(process), AnyOf("Permission denied", "No such file or directory"));
  }
}

// What root may without any capability, if it is root outside a user namespace.
TEST_P(HostSandboxesTest, KeepsFunctionsFromTheKernelsSettings) {
  for (const char* path : {"/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger"}) {
    auto& sandbox = Create(fmt::format("write {}", path));
    ASSERT_TRUE(Started(sandbox));
    EXPECT_THAT(ReadLine(sandbox), Not(HasSubstr("written"))) << path;
  }
}

TEST_P(HostSandboxesTest, TakesSandboxesThatWereBegunAhead) {
  // The first spare begins in a Dispatch of its own; no exit is waited for here.
  DispatchOnce();
  DispatchOnce();
  const bool own_tmp = sandboxes().isolation().private_mounts;
  for (int i = 0; i < 4; ++i) {
    auto& sandbox = Create(own_tmp ? "count-runs" : "exit 0", {.memory_mb = 128 + i});
    ASSERT_TRUE(Started(sandbox));
    if (own_tmp) {
      EXPECT_EQ(ReadLine(sandbox), "run 1");
    }
    EXPECT_EQ(WaitForExit(sandbox).code, 0);
  }
}

TEST_P(HostSandboxesTest, ASpareThatDiedIsReplaced) {
  std::vector<pid_t> before = Descendants(::getpid());
  DispatchOnce();
  DispatchOnce();
  for (const pid_t pid : Descendants(::getpid())) {
    if (std::ranges::find(before, pid) == before.end()) ::kill(pid, SIGKILL);
  }
  auto& sandbox = Create("exit 3");
  ASSERT_TRUE(Started(sandbox));
  EXPECT_EQ(WaitForExit(sandbox).code, 3);
}

TEST_P(HostSandboxesTest, SaysWhatIsMissing) {
  const Isolation& isolation = sandboxes().isolation();
  const bool weaker =
      isolation.memory == Isolation::Memory::kPolled || isolation.cpu == Isolation::Cpu::kNone ||
      isolation.freezer == Isolation::Freezer::kSignals || !isolation.private_mounts ||
      !isolation.unprivileged_user || !isolation.system_calls_filtered || !isolation.sockets_scoped;
  EXPECT_EQ(weaker, !isolation.missing.empty());
  for (const std::string& text : isolation.missing) EXPECT_THAT(text, Not(HasSubstr("\n")));
}

TEST(NewHostSandboxes, NeedsAStateFolder) {
  auto made = NewHostSandboxes({.state = "/nonexistent"});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace kelvin::sandbox
