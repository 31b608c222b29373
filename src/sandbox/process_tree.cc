#include "sandbox/process_tree.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <string>

#include <fmt/format.h>

#include "base/file.h"

namespace kelvin::sandbox {
namespace {

// The value of lines such as "VmHWM:      5124 kB", in bytes.
std::uint64_t KilobytesBehind(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(key);
  if (at == text.npos) return 0;
  const std::size_t digit = text.find_first_of("0123456789", at);
  if (digit == text.npos) return 0;
  std::uint64_t number = 0;
  std::from_chars(text.data() + digit, text.data() + text.size(), number);
  return number * 1024;
}

}  // namespace

std::optional<ProcessStat> ParseProcessStat(std::string_view text) {
  // The name in parentheses may hold anything, parentheses and spaces too.
  const std::size_t close = text.rfind(") ");
  if (close == text.npos) return std::nullopt;
  std::vector<std::string_view> fields;
  std::string_view rest = text.substr(close + 2);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    fields.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  constexpr std::size_t kState = 0, kParent = 1, kStartTime = 19;  // counted behind the name
  if (fields.size() <= kStartTime || fields[kState].size() != 1) return std::nullopt;
  ProcessStat stat{.state = fields[kState][0]};
  const auto parse = [&](std::size_t field, auto& number) {
    std::from_chars(fields[field].data(), fields[field].data() + fields[field].size(), number);
  };
  parse(kParent, stat.parent);
  parse(kStartTime, stat.start_time);
  return stat;
}

std::optional<ProcessStat> ReadProcessStat(pid_t pid) {
  const auto text = ReadFile(fmt::format("/proc/{}/stat", pid));
  return text ? ParseProcessStat(*text) : std::nullopt;
}

std::vector<pid_t> Descendants(pid_t ancestor) {
  std::multimap<pid_t, pid_t> children;
  std::error_code ignored;
  for (const auto& item : std::filesystem::directory_iterator("/proc", ignored)) {
    const std::string name = item.path().filename().native();
    pid_t pid = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (parsed.ec != std::errc{} || parsed.ptr != name.data() + name.size()) continue;
    const auto stat = ReadProcessStat(pid);
    if (stat && stat->state != 'Z' && stat->state != 'X') children.emplace(stat->parent, pid);
  }
  std::vector<pid_t> found;
  std::vector<pid_t> open{ancestor};
  while (!open.empty()) {
    const auto [first, last] = children.equal_range(open.back());
    open.pop_back();
    for (auto child = first; child != last; ++child) {
      found.push_back(child->second);
      open.push_back(child->second);
    }
  }
  return found;
}

std::uint64_t ParseHighestResident(std::string_view status) {
  return KilobytesBehind(status, "VmHWM:");
}

MemoryUse MemoryOf(const std::vector<pid_t>& processes) {
  MemoryUse use;
  for (const pid_t pid : processes) {
    const auto status = ReadFile(fmt::format("/proc/{}/status", pid));
    if (!status) continue;
    use.now += KilobytesBehind(*status, "VmRSS:");
    use.highest += ParseHighestResident(*status);
  }
  return use;
}

}  // namespace kelvin::sandbox
