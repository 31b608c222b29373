#include "sandbox/memory_alarm.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/epoll.h>

namespace kelvin::sandbox {
namespace {

// The files of a group, as plain ones: the kernel's part of an alarm is missing.
class Group {
 public:
  Group() : folder_(TemporaryDirectory::Create().value()) {}
  const std::filesystem::path& path() const { return folder_.path(); }
  void Write(const char* name, std::string_view text) {
    EXPECT_TRUE(WriteFileAtomically(path() / name, text));
  }
  std::string Read(const char* name) { return ReadFile(path() / name).value(); }

 private:
  TemporaryDirectory folder_;
};

Group V1Group(std::string_view usage) {
  Group group;
  group.Write("memory.usage_in_bytes", usage);
  group.Write("cgroup.event_control", "");
  return group;
}

Group V2Group(std::string_view usage) {
  Group group;
  group.Write("memory.current", usage);
  group.Write("memory.high", "max\n");
  group.Write("memory.events", "high 0\n");
  return group;
}

TEST(MemoryAlarm, IsMissingWhereTheKernelHasNone) {
  const Group none;
  EXPECT_EQ(MemoryAlarm::Make(CgroupVersion::kNone, none.path()), nullptr);
  EXPECT_EQ(MemoryAlarm::Make(CgroupVersion::kV1, none.path()), nullptr);
  EXPECT_EQ(MemoryAlarm::Make(CgroupVersion::kV2, none.path()), nullptr);
}

TEST(MemoryAlarm, TellsAMarkOfV1ThatWasPassedBeforeItWasSet) {
  const Group group = V1Group("5000\n");
  const auto alarm = MemoryAlarm::Make(CgroupVersion::kV1, group.path());
  ASSERT_NE(alarm, nullptr);
  EXPECT_EQ(alarm->SetMark(5000), MemoryAlarm::Mark::kWillTell);
  EXPECT_EQ(alarm->events(), EPOLLIN);
  pollfd wait{alarm->fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&wait, 1, -1), 1);
}

TEST(MemoryAlarm, SetsTheMarkOfV2) {
  Group group = V2Group("4999\n");
  const auto alarm = MemoryAlarm::Make(CgroupVersion::kV2, group.path());
  ASSERT_NE(alarm, nullptr);
  EXPECT_EQ(alarm->SetMark(5000), MemoryAlarm::Mark::kWillTell);
  EXPECT_EQ(group.Read("memory.high"), "5000");
  EXPECT_EQ(alarm->events(), EPOLLPRI);
}

TEST(MemoryAlarm, AnswersThatAMarkOfV2WasPassedBeforeItWasSet) {
  const Group group = V2Group("5000\n");
  const auto alarm = MemoryAlarm::Make(CgroupVersion::kV2, group.path());
  ASSERT_NE(alarm, nullptr);
  EXPECT_EQ(alarm->SetMark(5000), MemoryAlarm::Mark::kPassed);
}

}  // namespace
}  // namespace kelvin::sandbox
