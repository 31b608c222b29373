#include "lab/machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"

namespace kelvin::lab {
namespace {

using ::testing::HasSubstr;

TEST(Machine, IsReadFromTheKernelsFiles) {
  auto root = TemporaryDirectory::Create();
  ASSERT_TRUE(root.has_value());
  const auto governor = root->path() / "sys/devices/system/cpu/cpu0/cpufreq";
  std::filesystem::create_directories(root->path() / "proc");
  std::filesystem::create_directories(governor);
  ASSERT_TRUE(WriteFileAtomically(root->path() / "proc/cpuinfo",
                                  "processor\t: 0\nmodel name\t: Example CPU @ 3 GHz\n"
                                  "processor\t: 1\nmodel name\t: Example CPU @ 3 GHz\n"
                                  "flags\t\t: fpu hypervisor lahf_lm\n"));
  std::filesystem::create_directories(root->path() / "sys/class/dmi/id");
  ASSERT_TRUE(WriteFileAtomically(root->path() / "sys/class/dmi/id/sys_vendor", "QEMU\n"));
  ASSERT_TRUE(WriteFileAtomically(root->path() / ".dockerenv", ""));
  std::filesystem::create_directories(root->path() / "sys/fs/cgroup");
  ASSERT_TRUE(WriteFileAtomically(root->path() / "sys/fs/cgroup/cpu.max", "150000 100000\n"));
  ASSERT_TRUE(WriteFileAtomically(root->path() / "proc/meminfo", "MemTotal:       4096000 kB\n"));
  ASSERT_TRUE(WriteFileAtomically(root->path() / "proc/loadavg", "1.25 0.50 0.10 1/200 999\n"));
  ASSERT_TRUE(WriteFileAtomically(governor / "scaling_governor", "performance\n"));
  const Machine machine = ReadMachine(root->path());
  EXPECT_EQ(machine.cpu_model, "Example CPU @ 3 GHz");
  EXPECT_EQ(machine.memory_mb, 4000);
  EXPECT_DOUBLE_EQ(machine.load_1m, 1.25);
  EXPECT_EQ(machine.governor, "performance");
  EXPECT_EQ(machine.virtualization, "virtual machine (QEMU), container");
  EXPECT_DOUBLE_EQ(machine.cpu_limit, 1.5);
  EXPECT_GE(machine.cores, 1);
  EXPECT_THAT(machine.kernel, HasSubstr("Linux"));
}

TEST(Machine, StaysEmptyWhereTheKernelSaysNothing) {
  auto root = TemporaryDirectory::Create();
  const Machine machine = ReadMachine(root->path());
  EXPECT_EQ(machine.cpu_model, "");
  EXPECT_EQ(machine.governor, "");
  EXPECT_EQ(machine.memory_mb, 0);
  EXPECT_EQ(machine.virtualization, "");
  EXPECT_EQ(machine.cpu_limit, 0);
}

}  // namespace
}  // namespace kelvin::lab
