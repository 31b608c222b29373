#include "service/machine.h"

#include <string>

#include <gtest/gtest.h>

#include "base/file.h"

namespace kelvin::service {
namespace {

// As qemu-user-static of Debian registers itself for 64-bit ARM, and for x86-64 on ARM.
std::string Entry(std::string_view state, std::string_view flags, std::string_view machine) {
  return std::string(state) +
         "\ninterpreter /usr/libexec/qemu-binfmt/other\nflags: " + std::string(flags) +
         "\noffset 0\nmagic 7f454c4602010100000000000000000002" + "00" + std::string(machine) +
         "\nmask ffffffffffffff00fffffffffffffffffeffffff\n";
}

#if defined(__aarch64__)
constexpr std::string_view kOther = "3e00";
constexpr std::string_view kOwn = "b700";
#else
constexpr std::string_view kOther = "b700";
constexpr std::string_view kOwn = "3e00";
#endif

Emulation With(const std::string& entry) {
  const auto folder = TemporaryDirectory::Create().value();
  EXPECT_TRUE(WriteFileAtomically(folder.path() / "status", "enabled\n"));
  EXPECT_TRUE(WriteFileAtomically(folder.path() / "qemu-other", entry));
  return HostMachine(folder.path()).emulation;
}

TEST(HostMachine, EmulatesWithARegisteredEmulatorThatIsHeldOpen) {
  EXPECT_EQ(With(Entry("enabled", "POCF", kOther)), Emulation::kYes);
}

TEST(HostMachine, DoesNotEmulateOtherwise) {
  EXPECT_EQ(With(Entry("disabled", "POCF", kOther)), Emulation::kNo);
  EXPECT_EQ(With(Entry("enabled", "POC", kOther)), Emulation::kNo);
  EXPECT_EQ(With(Entry("enabled", "POCF", kOwn)), Emulation::kNo);
  EXPECT_EQ(With(Entry("enabled", "POCF", "0800")), Emulation::kNo);
  EXPECT_EQ(With("enabled\ninterpreter /usr/bin/wine\nflags: F\noffset 0\nmagic 4d5a\n"),
            Emulation::kNo);
  EXPECT_EQ(HostMachine("/nonexistent").emulation, Emulation::kNo);
}

TEST(Machine, RunsItsOwnAlways) {
  const Machine plain = HostMachine("/nonexistent");
  const Architecture other =
      plain.native == Architecture::kArm ? Architecture::kX86 : Architecture::kArm;
  EXPECT_TRUE(plain.Runs(plain.native));
  EXPECT_FALSE(plain.Runs(other));
  EXPECT_TRUE((Machine{plain.native, Emulation::kYes}.Runs(other)));
}

}  // namespace
}  // namespace kelvin::service
