#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "sandbox/cgroups.h"
#include "sandbox/memory_alarm.h"

namespace kelvin::sandbox {
namespace {

constexpr double kMemoryMbPerVcpu = 1769.0;
// Short, so that a small share comes as many small slices: at 128 MB 1.4 ms in every 20 ms.
constexpr int kCpuPeriodUs = 20'000;
constexpr int kLeastCpuQuotaUs = 1'000;  // the kernel takes no less
// One busy thread with a whole CPU must never wait because the kernel's accounts are coarse: what
// is left of a slice on the CPU that it has moved from is lost for a while.
constexpr int kSpareQuotaUs = kCpuPeriodUs / 20;
constexpr int kMostProcesses = 1024;  // of a Lambda environment

int CpuQuotaUs(CpuShare share, int memory_mb) {
  double vcpus = memory_mb / kMemoryMbPerVcpu;
  if (share == CpuShare::kFull) vcpus = std::max(vcpus, 1.0);
  const int spare = vcpus >= 1.0 ? kSpareQuotaUs : 0;
  return std::max(kLeastCpuQuotaUs, static_cast<int>(vcpus * kCpuPeriodUs) + spare);
}

std::filesystem::path File(const std::string& folder, std::string_view name) {
  return fmt::format("{}/{}", folder, name);
}

std::uint64_t ParseNumber(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// The value in lines such as "oom_kill 3".
std::uint64_t NumberBehind(std::string_view text, std::string_view key) {
  const std::string wanted = fmt::format("\n{} ", key);
  const std::string lines = fmt::format("\n{}", text);
  const std::size_t at = lines.find(wanted);
  return at == lines.npos ? 0 : ParseNumber(std::string_view(lines).substr(at + wanted.size()));
}

}  // namespace

std::vector<std::string> CgroupFolders::All() const {
  std::vector<std::string> all;
  for (const auto* folder : {&memory, &cpu, &pids, &freezer}) {
    if (!folder->empty() && std::ranges::find(all, *folder) == all.end()) all.push_back(*folder);
  }
  return all;
}

Cgroup::Cgroup(CgroupFs& fs, const CgroupVersions& versions, CgroupFolders folders)
    : fs_(fs), versions_(versions), folders_(std::move(folders)) {}

Cgroup::~Cgroup() {
  (void)Remove();
}

std::vector<std::filesystem::path> Cgroup::JoinFiles() const {
  std::vector<std::filesystem::path> files;
  for (const std::string& folder : folders_.All()) files.push_back(File(folder, "cgroup.procs"));
  return files;
}

std::expected<void, Error> Cgroup::SetLimits(int memory_mb, int apart_mb) {
  memory_mb_ = memory_mb;
  const std::string bytes = fmt::format("{}", (std::uint64_t{1} * memory_mb + apart_mb) << 20);
  struct Setting {
    CgroupVersion version;
    CgroupVersion wanted;
    std::filesystem::path file;
    std::string value;
    bool may_lack = false;  // swap accounting is a boot option, and absent without swap
  };
  const Setting settings[] = {
      {versions_.memory, CgroupVersion::kV2, File(folders_.memory, "memory.max"), bytes},
      {versions_.memory, CgroupVersion::kV2, File(folders_.memory, "memory.swap.max"), "0", true},
      {versions_.memory, CgroupVersion::kV1, File(folders_.memory, "memory.limit_in_bytes"), bytes},
      {versions_.memory, CgroupVersion::kV1, File(folders_.memory, "memory.memsw.limit_in_bytes"),
       bytes, true},
      {versions_.cpu, CgroupVersion::kV1, File(folders_.cpu, "cpu.cfs_period_us"),
       fmt::format("{}", kCpuPeriodUs)},
      {versions_.pids, versions_.pids, File(folders_.pids, "pids.max"),
       fmt::format("{}", kMostProcesses)},
  };
  for (const Setting& setting : settings) {
    if (setting.version != setting.wanted || setting.version == CgroupVersion::kNone) continue;
    auto written = fs_.Write(setting.file, setting.value);
    if (!written && !setting.may_lack) return written;
  }
  SetCpuShare(CpuShare::kFull);
  return {};
}

void Cgroup::SetCpuShare(CpuShare share) {
  const int quota = CpuQuotaUs(share, memory_mb_);
  if (versions_.cpu == CgroupVersion::kV2) {
    (void)fs_.Write(File(folders_.cpu, "cpu.max"), fmt::format("{} {}", quota, kCpuPeriodUs));
  } else if (versions_.cpu == CgroupVersion::kV1) {
    (void)fs_.Write(File(folders_.cpu, "cpu.cfs_quota_us"), fmt::format("{}", quota));
  }
}

void Cgroup::Freeze() {
  if (versions_.freezer == CgroupVersion::kV2) {
    (void)fs_.Write(File(folders_.freezer, "cgroup.freeze"), "1");
  } else if (versions_.freezer == CgroupVersion::kV1) {
    (void)fs_.Write(File(folders_.freezer, "freezer.state"), "FROZEN");
  }
}

void Cgroup::Thaw() {
  if (versions_.freezer == CgroupVersion::kV2) {
    (void)fs_.Write(File(folders_.freezer, "cgroup.freeze"), "0");
  } else if (versions_.freezer == CgroupVersion::kV1) {
    (void)fs_.Write(File(folders_.freezer, "freezer.state"), "THAWED");
  }
}

bool Cgroup::CountsPeak() {
  if (versions_.memory == CgroupVersion::kV2) {
    return fs_.Read(File(folders_.memory, "memory.peak")).has_value();  // since Linux 5.19
  }
  return versions_.memory == CgroupVersion::kV1;
}

std::filesystem::path Cgroup::PeakFile() const {
  if (versions_.memory == CgroupVersion::kNone) return {};
  const bool v2 = versions_.memory == CgroupVersion::kV2;
  return File(folders_.memory, v2 ? "memory.peak" : "memory.max_usage_in_bytes");
}

std::uint64_t Cgroup::Peak() {
  const auto text = fs_.Read(PeakFile());
  return text ? ParseNumber(*text) : 0;
}

void Cgroup::ResetPeak() {
  if (versions_.memory == CgroupVersion::kV1) {
    (void)fs_.Write(File(folders_.memory, "memory.max_usage_in_bytes"), "0");
  }
}

std::uint64_t Cgroup::Charged() {
  const bool v2 = versions_.memory == CgroupVersion::kV2;
  const auto text =
      fs_.Read(File(folders_.memory, v2 ? "memory.current" : "memory.usage_in_bytes"));
  return text ? ParseNumber(*text) : 0;
}

std::uint64_t Cgroup::ChargedButForCache() {
  const std::uint64_t charged = Charged();
  const auto text = fs_.Read(File(folders_.memory, "memory.stat"));
  if (!text) return charged;
  const bool v2 = versions_.memory == CgroupVersion::kV2;
  // Both count what is in a tmpfs as files.
  const std::uint64_t cache =
      NumberBehind(*text, v2 ? "file" : "cache") - NumberBehind(*text, "shmem");
  return charged - std::min(charged, cache);
}

std::unique_ptr<MemoryAlarm> Cgroup::MakeAlarm() const {
  return MemoryAlarm::Make(versions_.memory, folders_.memory);
}

std::uint64_t Cgroup::OutOfMemoryKills() {
  if (versions_.memory == CgroupVersion::kNone) return 0;
  const bool v2 = versions_.memory == CgroupVersion::kV2;
  const auto text = fs_.Read(File(folders_.memory, v2 ? "memory.events" : "memory.oom_control"));
  return text ? NumberBehind(*text, "oom_kill") : 0;
}

std::expected<void, Error> Cgroup::Remove() {
  std::expected<void, Error> result;
  for (const auto& folder : folders_.All()) {
    if (auto removed = fs_.RemoveFolder(folder); !removed) result = std::move(removed);
  }
  return result;
}

}  // namespace kelvin::sandbox
