#include "lab/machine.h"

#include <charconv>
#include <string_view>

#include <fmt/format.h>
#include <sched.h>
#include <sys/utsname.h>

#include "base/file.h"

namespace kelvin::lab {
namespace {

std::string Trimmed(std::string_view text) {
  const std::size_t start = text.find_first_not_of(" \t\n");
  if (start == std::string_view::npos) return {};
  return std::string(text.substr(start, text.find_last_not_of(" \t\n") - start + 1));
}

// The value of the first "name : value" line.
std::string FieldOf(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    if (Trimmed(line.substr(0, colon)) == name) return Trimmed(line.substr(colon + 1));
  }
  return {};
}

template <typename Number>
Number LeadingNumber(std::string_view text) {
  Number number{};
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

int UsableCores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  return ::sched_getaffinity(0, sizeof(cores), &cores) == 0 ? CPU_COUNT(&cores) : 0;
}

std::string Kernel() {
  utsname name{};
  if (::uname(&name) != 0) return {};
  return fmt::format("{} {} {}", name.sysname, name.release, name.machine);
}

// Whose machine a guest runs on, as its firmware tells.
std::string VirtualMachine(std::string_view cpuinfo, const std::string& vendor) {
  const std::string flags = FieldOf(cpuinfo, "flags");
  if ((' ' + flags + ' ').find(" hypervisor ") == std::string::npos) return {};
  return vendor.empty() ? "virtual machine" : fmt::format("virtual machine ({})", vendor);
}

bool IsContainer(const std::filesystem::path& root) {
  std::error_code ignored;
  return std::filesystem::exists(root / ".dockerenv", ignored) ||
         std::filesystem::exists(root / "run/.containerenv", ignored);
}

// cgroup v2's cpu.max: "max 100000", or quota and period in microseconds.
double CpuLimit(std::string_view cpu_max) {
  const std::size_t space = cpu_max.find(' ');
  if (space == std::string_view::npos) return 0;
  const auto quota = LeadingNumber<double>(cpu_max);
  const auto period = LeadingNumber<double>(cpu_max.substr(space + 1));
  return quota > 0 && period > 0 ? quota / period : 0;
}

}  // namespace

double ReadLoad(const std::filesystem::path& root) {
  return LeadingNumber<double>(ReadFile(root / "proc/loadavg").value_or(std::string()));
}

Machine ReadMachine(const std::filesystem::path& root) {
  const auto read = [&](const char* path) { return ReadFile(root / path).value_or(std::string()); };
  Machine machine;
  machine.cpu_model = FieldOf(read("proc/cpuinfo"), "model name");
  machine.cores = UsableCores();
  machine.memory_mb =
      static_cast<int>(LeadingNumber<long>(FieldOf(read("proc/meminfo"), "MemTotal")) / 1024);
  machine.kernel = Kernel();
  machine.governor = Trimmed(read("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"));
  machine.virtualization =
      VirtualMachine(read("proc/cpuinfo"), Trimmed(read("sys/class/dmi/id/sys_vendor")));
  if (IsContainer(root)) {
    machine.virtualization += machine.virtualization.empty() ? "container" : ", container";
  }
  machine.cpu_limit = CpuLimit(read("sys/fs/cgroup/cpu.max"));
  machine.load_1m = ReadLoad(root);
  return machine;
}

}  // namespace kelvin::lab
