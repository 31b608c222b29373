#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "sandbox/cgroup_roots.h"
#include "sandbox/channel.h"
#include "sandbox/etc_file.h"
#include "sandbox/process_tree.h"
#include "sandbox/protocol.h"
#include "sandbox/root_plan.h"

namespace kelvin::sandbox {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;

TEST(FindCgroupRoots, FindsV1AndUnifiedHierarchiesSideBySide) {
  const CgroupRoots roots = FindCgroupRoots(
      "30 24 0:26 / /sys/fs/cgroup ro,nosuid shared:9 - tmpfs tmpfs ro,mode=755\n"
      "31 30 0:27 / /sys/fs/cgroup/unified rw shared:10 - cgroup2 cgroup2 rw\n"
      "35 30 0:31 / /sys/fs/cgroup/cpu,cpuacct rw shared:16 - cgroup cgroup rw,cpu,cpuacct\n"
      "36 30 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
      "37 30 0:33 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n",
      "5:memory:/user.slice\n0::/user.slice/session\n");
  EXPECT_EQ(roots.memory, "/sys/fs/cgroup/memory");
  EXPECT_EQ(roots.cpu, "/sys/fs/cgroup/cpu,cpuacct");
  EXPECT_EQ(roots.pids, "");
  EXPECT_EQ(roots.unified, "/sys/fs/cgroup/unified");
  EXPECT_EQ(roots.own, "/sys/fs/cgroup/unified/user.slice/session");
}

TEST(FindCgroupRoots, TakesTheFirstOfSeveralMounts) {
  const CgroupRoots roots = FindCgroupRoots(
      "31 30 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
      "36 30 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
      "90 30 0:27 / /chroot/sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
      "91 30 0:32 / /chroot/sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n",
      "0::/a\n");
  EXPECT_EQ(roots.unified, "/sys/fs/cgroup");
  EXPECT_EQ(roots.own, "/sys/fs/cgroup/a");
  EXPECT_EQ(roots.memory, "/sys/fs/cgroup/memory");
}

TEST(FindCgroupRoots, CountsFromTheMountedPartInAContainer) {
  const CgroupRoots roots = FindCgroupRoots(
      "31 30 0:27 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "0::/docker/abc\n");
  EXPECT_EQ(roots.own, "/sys/fs/cgroup");
}

TEST(FindCgroupRoots, FindsNothingInNothing) {
  const CgroupRoots roots = FindCgroupRoots("", "");
  EXPECT_EQ(roots.unified, "");
  EXPECT_EQ(roots.memory, "");
  EXPECT_EQ(FindCgroupRoots("nonsense\n1 2\n - - -\n", "::\n").unified, "");
}

TEST(PlanRoot, ShowsTheHostsProgramsReadOnly) {
  const auto host = TemporaryDirectory::Create().value();
  std::filesystem::create_directories(host.path() / "usr/lib");
  std::filesystem::create_directory(host.path() / "etc");
  std::filesystem::create_directory(host.path() / "home");
  std::filesystem::create_directory_symlink("usr/lib", host.path() / "lib");
  const auto plan = PlanRoot(host.path(), {.hosts = "/state/hosts", .users = "/state/users"});
  EXPECT_THAT(plan, Contains(RootStep{RootAction::kBind, "usr", (host.path() / "usr").native()}));
  EXPECT_THAT(plan, Contains(RootStep{RootAction::kSymlink, "lib", "usr/lib"}));
  for (const RootStep& step : plan) {
    EXPECT_NE(step.target, "home");
    EXPECT_NE(step.target, "lib64") << "the host has none";
    EXPECT_TRUE(step.target.is_relative()) << step.target;
  }
}

// A host whose /etc has these files, and links to the second of each pair.
std::vector<RootStep> PlanWithEtc(
    const TemporaryDirectory& host, const std::vector<std::string>& files,
    const std::vector<std::pair<std::string, std::string>>& links = {}) {
  const auto path_of = [&](const std::string& name) {
    std::filesystem::create_directories((host.path() / name).parent_path());
    return host.path() / name;
  };
  for (const std::string& file : files) EXPECT_TRUE(WriteFileAtomically(path_of(file), "x"));
  for (const auto& [link, target] : links) std::filesystem::create_symlink(target, path_of(link));
  return PlanRoot(host.path(), {.hosts = "/state/hosts", .users = "/state/users"});
}

TEST(PlanRoot, GivesTheSandboxHostsOfItsOwn) {
  const auto host = TemporaryDirectory::Create().value();
  const auto plan = PlanWithEtc(host, {"etc/hosts", "etc/resolv.conf"});
  EXPECT_THAT(plan, Contains(RootStep{RootAction::kFile, "etc/hosts", "/state/hosts"}));
  for (const RootStep& step : plan) EXPECT_NE(step.target, "etc/resolv.conf") << "as in /etc";
}

TEST(PlanRoot, GivesTheSandboxUsersOfItsOwn) {
  const auto host = TemporaryDirectory::Create().value();
  const auto plan = PlanWithEtc(host, {"etc/passwd"});
  EXPECT_THAT(plan, Contains(RootStep{RootAction::kFile, "etc/passwd", "/state/users"}));
}

TEST(PlanRoot, PutsHostsWhereTheHostKeepsThem) {
  const auto host = TemporaryDirectory::Create().value();
  const auto plan = PlanWithEtc(host, {"etc/static/hosts"}, {{"etc/hosts", "/etc/static/hosts"}});
  EXPECT_THAT(plan, Contains(RootStep{RootAction::kFile, "etc/static/hosts", "/state/hosts"}));
}

TEST(PlanRoot, ShowsTheFileThatResolvConfLeadsTo) {
  const auto host = TemporaryDirectory::Create().value();
  const auto plan = PlanWithEtc(host, {"run/resolve/stub.conf", "etc/hosts"},
                                {{"etc/resolv.conf", "../run/resolve/stub.conf"}});
  const auto source = (host.path() / "run/resolve/stub.conf").native();
  EXPECT_THAT(plan, IsSupersetOf({RootStep{RootAction::kFolder, "run"},
                                  RootStep{RootAction::kFolder, "run/resolve"},
                                  RootStep{RootAction::kFile, "run/resolve/stub.conf", source}}));
}

TEST(PlanRoot, LeavesOutWhatLeadsNowhereOrToWhatIsThere) {
  const auto host = TemporaryDirectory::Create().value();
  const auto plan = PlanWithEtc(host, {},
                                {{"etc/resolv.conf", "/run/gone.conf"},
                                 {"etc/nsswitch.conf", "/proc/net/pnp"},
                                 {"etc/hosts", "hosts"}});
  for (const RootStep& step : plan) EXPECT_NE(step.action, RootAction::kFile) << step.target;
}

TEST(SandboxUsers, HaveThatOfLambdaFirst) {
  EXPECT_EQ(SandboxUsers("root:x:0:0:root:/root:/bin/sh\nother:x:993:993::/:/bin/sh\n", 993, 990),
            "sbx_user1051:x:993:990::/home/sbx_user1051:/sbin/nologin\n"
            "root:x:0:0:root:/root:/bin/sh\nother:x:993:993::/:/bin/sh\n");
}

TEST(SandboxHosts, NameTheSandboxAndLocalhostBesideWhatTheHostNames) {
  EXPECT_EQ(SandboxHosts(""), "127.0.0.1 localhost\n127.0.0.1 sandbox.localdomain sandbox\n");
  EXPECT_EQ(
      SandboxHosts("10.0.0.7 db # no localhost"),
      "127.0.0.1 localhost\n10.0.0.7 db # no localhost\n127.0.0.1 sandbox.localdomain sandbox\n");
  EXPECT_EQ(SandboxHosts("::1 ip6-localhost\n127.0.0.1\tlocalhost\n"),
            "::1 ip6-localhost\n127.0.0.1\tlocalhost\n127.0.0.1 sandbox.localdomain sandbox\n");
}

TEST(EtcFile, FollowsTheHosts) {
  const auto folder = TemporaryDirectory::Create().value();
  const auto source = folder.path() / "source";
  EtcFile file(source, folder.path() / "hosts", SandboxHosts);
  ASSERT_TRUE(file.Update()) << "the host need not have one";
  EXPECT_EQ(ReadFile(file.path()), SandboxHosts(""));
  for (const char* content : {"10.0.0.7 db\n", "10.0.0.8 db\n"}) {
    ASSERT_TRUE(WriteFileAtomically(source, content));
    ASSERT_TRUE(file.Update());
    EXPECT_EQ(ReadFile(file.path()), SandboxHosts(content));
  }
  std::filesystem::remove(file.path());
  ASSERT_TRUE(file.Update());
  EXPECT_FALSE(ReadFile(file.path())) << "made anew without a change";
}

TEST(PlanFolders, ShowsWhatIsTheFunctions) {
  EXPECT_THAT(
      PlanFolders({.code = "/packages/a", .layers = "/layers", .runtime = "", .language = ""}, 512),
      ElementsAre(RootStep{RootAction::kBind, "var/task", "/packages/a"},
                  RootStep{RootAction::kFolder, "var/runtime"},
                  RootStep{RootAction::kFolder, "var/lang"},
                  RootStep{RootAction::kBind, "opt", "/layers"},
                  RootStep{RootAction::kTmpfs, "tmp", "mode=1777,size=512m"}));
}

TEST(ProcessStat, SurvivesAnyNameOfTheProgram) {
  const auto stat = ParseProcessStat(
      "42 (a) S 1 (x) R 7 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 0 0\n");
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->state, 'R');
  EXPECT_EQ(stat->parent, 7);
  EXPECT_EQ(stat->start_time, 987'654U);
  EXPECT_FALSE(ParseProcessStat(""));
  EXPECT_FALSE(ParseProcessStat("42 (a) S 1"));
}

TEST(ProcessStat, ReadsThisProcess) {
  const auto stat = ReadProcessStat(::getpid());
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->parent, ::getppid());
  EXPECT_THAT(Descendants(stat->parent), Contains(::getpid()));
  EXPECT_THAT(Descendants(::getpid()), Not(Contains(::getpid())));
}

TEST(MemoryOf, AddsUpProcesses) {
  const MemoryUse use = MemoryOf({::getpid()});
  EXPECT_GT(use.now, 0U);
  EXPECT_GE(use.highest, use.now);
  EXPECT_EQ(MemoryOf({}).now, 0U);
  EXPECT_EQ(ParseHighestResident("VmPeak:\t 9 kB\nVmHWM:\t     812 kB\n"), 812U * 1024);
  EXPECT_EQ(ParseHighestResident("State:\tZ (zombie)\n"), 0U);
}

TEST(Channel, CarriesBytesAndFiles) {
  auto ends = MakeChannel().value();
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  const UniqueFd reader(pipe_ends[0]);
  UniqueFd writer(pipe_ends[1]);
  const std::string large(100'000, 'x');
  ASSERT_TRUE(SendPacket(ends.first.get(), large, {writer.get()}));
  writer.reset();
  auto packet = ReceivePacket(ends.second.get(), Wait::kYes);
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->bytes, large);
  ASSERT_EQ(packet->fds.size(), 1U);
  ASSERT_TRUE(WriteAll(packet->fds[0].get(), "!"));
  char got = 0;
  EXPECT_EQ(::read(reader.get(), &got, 1), 1);
}

TEST(Channel, TellsNothingYetFromClosed) {
  auto ends = MakeChannel().value();
  auto nothing = ReceivePacket(ends.second.get(), Wait::kNo);
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code, ErrorCode::kTimeout);
  ends.first.reset();
  auto closed = ReceivePacket(ends.second.get(), Wait::kNo);
  ASSERT_TRUE(closed);
  EXPECT_TRUE(closed->bytes.empty());
}

TEST(Channel, DeliversLastWordsOfAnEndThatHadNotReadEverything) {
  auto ends = MakeChannel().value();
  ASSERT_TRUE(SendPacket(ends.second.get(), "unread"));
  ASSERT_TRUE(SendPacket(ends.first.get(), "why"));
  ends.first.reset();
  EXPECT_EQ(ReceivePacket(ends.second.get(), Wait::kYes)->bytes, "why");
  EXPECT_EQ(ReceivePacket(ends.second.get(), Wait::kYes)->bytes, "");
}

TEST(Channel, RefusesTooLargeAPacket) {
  auto ends = MakeChannel().value();
  auto sent = SendPacket(ends.first.get(), std::string(1 << 20, 'x'));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, ErrorCode::kInvalidArgument);
}

TEST(Channel, SaysWhoSent) {
  auto ends = MakeChannel().value();
  ASSERT_TRUE(AskForSenders(ends.second.get()));
  ASSERT_TRUE(SendPacket(ends.first.get(), "x"));
  EXPECT_EQ(ReceivePacket(ends.second.get(), Wait::kYes)->sender, ::getpid());
}

TEST(LaunchRequest, ComesBackAsItWas) {
  const LaunchRequest request{.privacy = Privacy::kUserNamespaces,
                              .memory_watch = MemoryWatch::kCgroup,
                              .uid = 993,
                              .gid = 990,
                              .mount_point = "/m"};
  const LaunchRequest back = DecodeLaunchRequest(Encode(request));
  EXPECT_EQ(back.privacy, request.privacy);
  EXPECT_EQ(back.memory_watch, request.memory_watch);
  EXPECT_EQ(back.uid, request.uid);
  EXPECT_EQ(back.gid, request.gid);
  EXPECT_EQ(back.mount_point, request.mount_point);
}

TEST(Furnishing, ComesBackAsItWas) {
  const Furnishing furnishing{
      .memory_mb = 10240,
      .tmp_mb = 512,
      .folders = {.code = "/a b/c", .layers = "/l", .runtime = "", .language = "/lang"}};
  const Furnishing back = DecodeFurnishing(Encode(furnishing));
  EXPECT_EQ(back.memory_mb, furnishing.memory_mb);
  EXPECT_EQ(back.tmp_mb, furnishing.tmp_mb);
  EXPECT_EQ(back.folders.code, furnishing.folders.code);
  EXPECT_EQ(back.folders.layers, furnishing.folders.layers);
  EXPECT_EQ(back.folders.runtime, furnishing.folders.runtime);
  EXPECT_EQ(back.folders.language, furnishing.folders.language);
}

TEST(Program, ComesBackAsItWas) {
  const Program program{.folder = "/var/task",
                        .candidates = {"/a", "/b"},
                        .environment = {"A=", "B=x=y", "C=line\nbreak"}};
  const Program back = DecodeProgram(Encode(program));
  EXPECT_EQ(back.folder, program.folder);
  EXPECT_EQ(back.candidates, program.candidates);
  EXPECT_EQ(back.environment, program.environment);
  EXPECT_THAT(DecodeProgram("/only\0"
                            "9\0")
                  .environment,
              IsEmpty());
}

}  // namespace
}  // namespace kelvin::sandbox
