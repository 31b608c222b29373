#include "sandbox/cgroups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sandbox/fake_cgroup_fs.h"

namespace kelvin::sandbox {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr int kPid = 77;
const std::string kInstance = "kelvin-77-1000";

// Four v1 hierarchies.
struct V1Host {
  FakeCgroupFs fs;
  CgroupRoots roots{.memory = "/cg/memory",
                    .cpu = "/cg/cpu,cpuacct",
                    .pids = "/cg/pids",
                    .freezer = "/cg/freezer",
                    .unified = "",
                    .own = ""};
  V1Host() {
    for (const char* root : {"/cg/memory", "/cg/cpu,cpuacct", "/cg/pids", "/cg/freezer"}) {
      fs.folders.insert(root);
      fs.populate[root]["cgroup.procs"] = "";
    }
    fs.populate["/cg/memory"].insert({{"memory.limit_in_bytes", ""},
                                      {"memory.max_usage_in_bytes", "5242880\n"},
                                      {"memory.oom_control", "under_oom 0\noom_kill 2\n"}});
    fs.populate["/cg/cpu"].insert({{"cpu.cfs_period_us", "100000"}, {"cpu.cfs_quota_us", "-1"}});
    fs.populate["/cg/pids"].insert({{"pids.max", "max"}});
    fs.populate["/cg/freezer"].insert({{"freezer.state", "THAWED"}});
  }
};

// One v2 hierarchy, in which this process is in /user.
struct V2Host {
  FakeCgroupFs fs;
  CgroupRoots roots{
      .memory = "", .cpu = "", .pids = "", .freezer = "", .unified = "/cg", .own = "/cg/user"};
  V2Host() {
    for (const char* folder : {"/cg", "/cg/user"}) {
      fs.folders.insert(folder);
      fs.files[std::string(folder) + "/cgroup.controllers"] = "cpuset cpu io memory pids\n";
      fs.files[std::string(folder) + "/cgroup.subtree_control"] = "";
    }
    fs.populate["/cg/"] = {{"cgroup.procs", ""},
                           {"cgroup.subtree_control", ""},
                           {"cgroup.freeze", "0"},
                           {"memory.max", "max"},
                           {"memory.swap.max", "max"},
                           {"memory.peak", "7340032\n"},
                           {"memory.events", "low 0\noom 3\noom_kill 1\noom_group_kill 0\n"},
                           {"cpu.max", "max 100000"},
                           {"pids.max", "max"}};
  }
};

std::unique_ptr<Cgroup> MakeLimited(Cgroups& cgroups, int memory_mb) {
  auto group = cgroups.Make("a").value();
  EXPECT_TRUE(group->SetLimits(memory_mb, 0));
  return group;
}

TEST(Cgroups, SetsTheLimitsOfV1) {
  V1Host host;
  Cgroups cgroups(host.fs, host.roots, kInstance, kPid);
  EXPECT_EQ(cgroups.versions().memory, CgroupVersion::kV1);
  EXPECT_EQ(cgroups.versions().freezer, CgroupVersion::kV1);
  EXPECT_THAT(cgroups.missing(), IsEmpty());
  const auto group = MakeLimited(cgroups, 128);
  auto& files = host.fs.files;
  EXPECT_EQ(files["/cg/memory/kelvin-77-1000/a/memory.limit_in_bytes"], "134217728");
  EXPECT_EQ(files["/cg/cpu,cpuacct/kelvin-77-1000/a/cpu.cfs_period_us"], "20000");
  EXPECT_EQ(files["/cg/pids/kelvin-77-1000/a/pids.max"], "1024");
  EXPECT_THAT(group->JoinFiles(), SizeIs(4));
  EXPECT_EQ(group->Peak(), 5'242'880U);
  EXPECT_EQ(group->OutOfMemoryKills(), 2U);
}

TEST(Cgroups, TellsCachedFilesFromTheRest) {
  for (const bool v2 : {false, true}) {
    V1Host v1_host;
    V2Host v2_host;
    v1_host.fs.populate["/cg/memory"].insert(
        {{"memory.usage_in_bytes", "1000\n"}, {"memory.stat", "cache 700\nrss 200\nshmem 300\n"}});
    v2_host.fs.populate["/cg/"].insert(
        {{"memory.current", "1000\n"}, {"memory.stat", "anon 200\nfile 700\nshmem 300\n"}});
    FakeCgroupFs& fs = v2 ? v2_host.fs : v1_host.fs;
    Cgroups cgroups(fs, v2 ? v2_host.roots : v1_host.roots, kInstance, kPid);
    const auto group = MakeLimited(cgroups, 128);
    EXPECT_EQ(group->Charged(), 1000U);
    EXPECT_EQ(group->ChargedButForCache(), 600U);
  }
}

TEST(Cgroups, LeavesRoomForWhatDoesNotCount) {
  V1Host host;
  Cgroups cgroups(host.fs, host.roots, kInstance, kPid);
  ASSERT_TRUE(cgroups.Make("a").value()->SetLimits(128, 512));
  EXPECT_THAT(host.fs.writes,
              Contains("/cg/memory/kelvin-77-1000/a/memory.limit_in_bytes=671088640"));
}

TEST(Cgroups, LimitsSwapWhereItIsCounted) {
  V1Host host;
  host.fs.populate["/cg/memory"]["memory.memsw.limit_in_bytes"] = "";
  Cgroups cgroups(host.fs, host.roots, kInstance, kPid);
  const auto group = MakeLimited(cgroups, 64);
  EXPECT_EQ(host.fs.files["/cg/memory/kelvin-77-1000/a/memory.memsw.limit_in_bytes"], "67108864");
}

TEST(Cgroups, SetsTheLimitsOfV2) {
  V2Host host;
  Cgroups cgroups(host.fs, host.roots, kInstance, kPid);
  EXPECT_EQ(cgroups.versions().memory, CgroupVersion::kV2);
  EXPECT_EQ(cgroups.versions().cpu, CgroupVersion::kV2);
  EXPECT_THAT(cgroups.missing(), IsEmpty());
  const auto group = MakeLimited(cgroups, 128);
  auto& files = host.fs.files;
  EXPECT_EQ(files["/cg/kelvin-77-1000/a/memory.max"], "134217728");
  EXPECT_EQ(files["/cg/kelvin-77-1000/a/memory.swap.max"], "0");
  EXPECT_EQ(files["/cg/kelvin-77-1000/a/pids.max"], "1024");
  EXPECT_THAT(group->JoinFiles(), ElementsAre("/cg/kelvin-77-1000/a/cgroup.procs"));
  EXPECT_EQ(group->Peak(), 7'340'032U);
  EXPECT_EQ(group->OutOfMemoryKills(), 1U);
}

TEST(Cgroups, ComputesTheCpuShareFromTheMemory) {
  struct {
    int memory_mb;
    CpuShare share;
    const char* cpu_max;
  } const cases[] = {
      {128, CpuShare::kByMemory, "1447 20000"},   {128, CpuShare::kFull, "21000 20000"},
      {1769, CpuShare::kByMemory, "21000 20000"}, {3538, CpuShare::kByMemory, "41000 20000"},
      {3538, CpuShare::kFull, "41000 20000"},     {10, CpuShare::kByMemory, "1000 20000"},
  };
  V2Host host;
  Cgroups cgroups(host.fs, host.roots, kInstance, kPid);
  for (const auto& test : cases) {
    const auto group = MakeLimited(cgroups, test.memory_mb);
    group->SetCpuShare(test.share);
    EXPECT_EQ(host.fs.files["/cg/kelvin-77-1000/a/cpu.max"], test.cpu_max) << test.memory_mb;
  }
}

TEST(Cgroups, UsesItsOwnGroupWhereTheRootIsNotItsOwn) {
  V2Host host;
  host.fs.read_only.insert("/cg");
  Cgroups cgroups(host.fs, host.roots, kInstance, kPid);
  EXPECT_EQ(cgroups.versions().memory, CgroupVersion::kV2);
  EXPECT_THAT(host.fs.folders, Contains("/cg/user/kelvin-77-1000"));
}

TEST(Cgroups, StepsAsideWhereItsOwnGroupMayHaveNoProcesses) {
  // Refuses until the process has left the group.
  class BusyFs final : public CgroupFs {
   public:
    explicit BusyFs(FakeCgroupFs& fs) : fs_(fs) {}
    std::expected<void, Error> MakeFolder(const std::filesystem::path& path) override {
      return fs_.MakeFolder(path);
    }
    std::expected<void, Error> RemoveFolder(const std::filesystem::path& path) override {
      return fs_.RemoveFolder(path);
    }
    std::expected<void, Error> Write(const std::filesystem::path& path,
                                     std::string_view text) override {
      if (path == "/cg/user/cgroup.subtree_control" &&
          fs_.files["/cg/user/kelvin-service/cgroup.procs"] != "77") {
        return std::unexpected(Error{ErrorCode::kIo, "busy"});
      }
      return fs_.Write(path, text);
    }
    std::expected<std::string, Error> Read(const std::filesystem::path& path) override {
      return fs_.Read(path);
    }
    std::vector<std::string> Folders(const std::filesystem::path& path) override {
      return fs_.Folders(path);
    }

   private:
    FakeCgroupFs& fs_;
  };
  V2Host host;
  host.fs.read_only.insert("/cg");
  BusyFs busy(host.fs);
  Cgroups cgroups(busy, host.roots, kInstance, kPid);
  EXPECT_EQ(cgroups.versions().memory, CgroupVersion::kV2);
  EXPECT_EQ(cgroups.versions().pids, CgroupVersion::kV2);
}

TEST(Cgroups, TakesTheFreezerOfV2AndTheRestOfV1OnAHybridHost) {
  V1Host host;
  host.fs.folders.insert("/cg/unified");
  host.fs.files["/cg/unified/cgroup.controllers"] = "";
  host.fs.populate["/cg/unified"] = {{"cgroup.procs", ""}, {"cgroup.freeze", "0"}};
  host.roots.unified = "/cg/unified";
  host.roots.own = "/cg/unified";
  Cgroups cgroups(host.fs, host.roots, kInstance, kPid);
  EXPECT_EQ(cgroups.versions().memory, CgroupVersion::kV1);
  EXPECT_EQ(cgroups.versions().freezer, CgroupVersion::kV2);
  const auto group = MakeLimited(cgroups, 128);
  group->Freeze();
  EXPECT_EQ(host.fs.files["/cg/unified/kelvin-77-1000/a/cgroup.freeze"], "1");
  group->Thaw();
  EXPECT_EQ(host.fs.files["/cg/unified/kelvin-77-1000/a/cgroup.freeze"], "0");
}

TEST(Cgroups, SaysWhatIsMissingAndWhatToDo) {
  FakeCgroupFs fs;
  Cgroups cgroups(fs, {}, kInstance, kPid);
  EXPECT_EQ(cgroups.versions().memory, CgroupVersion::kNone);
  ASSERT_THAT(cgroups.missing(), SizeIs(4));
  EXPECT_THAT(cgroups.missing().front(), HasSubstr("memory ceiling"));
  EXPECT_THAT(cgroups.missing().back(), HasSubstr("as root"));
  const auto group = MakeLimited(cgroups, 128);
  EXPECT_FALSE(group->CountsPeak());
  EXPECT_THAT(group->JoinFiles(), IsEmpty());
}

TEST(Cgroups, DoesNotCountOnAPeakThatAnOldKernelLacks) {
  V2Host host;
  host.fs.populate["/cg/"].erase("memory.peak");
  Cgroups cgroups(host.fs, host.roots, kInstance, kPid);
  const auto group = MakeLimited(cgroups, 128);
  EXPECT_FALSE(group->CountsPeak());
}

TEST(Cgroups, FailsWhenALimitCannotBeSet) {
  V2Host host;
  Cgroups cgroups(host.fs, host.roots, kInstance, kPid);
  host.fs.failing_writes["/cg/kelvin-77-1000/a/memory.max"] = ErrorCode::kPermissionDenied;
  auto group = cgroups.Make("a").value();
  EXPECT_FALSE(group->SetLimits(128, 0));
  group.reset();
  EXPECT_THAT(host.fs.folders, Not(Contains("/cg/kelvin-77-1000/a")));
}

TEST(Cgroups, RemovesItsGroupsAtTheEnd) {
  V1Host host;
  const auto before = host.fs.folders;
  {
    Cgroups cgroups(host.fs, host.roots, kInstance, kPid);
    ASSERT_TRUE(cgroups.Make("a"));
  }
  EXPECT_EQ(host.fs.folders, before);
}

TEST(Cgroups, RemovesOnlyTheGroupsOfInstancesThatAreGone) {
  V1Host host;
  for (const char* name : {"kelvin-1-10", "kelvin-2-20", "kelvin-service", "kelvin-x", "other"}) {
    ASSERT_TRUE(host.fs.MakeFolder(std::filesystem::path("/cg/memory") / name));
  }
  ASSERT_TRUE(host.fs.MakeFolder("/cg/memory/kelvin-1-10/left"));
  Cgroups::RemoveStale(host.fs, host.roots,
                       [](int pid, std::uint64_t start) { return pid == 2 && start == 20; });
  EXPECT_THAT(host.fs.Folders("/cg/memory"),
              ElementsAre("kelvin-2-20", "kelvin-service", "kelvin-x", "other"));
}

}  // namespace
}  // namespace kelvin::sandbox
