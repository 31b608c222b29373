#include "lab/overtaking.h"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "lab/statistics.h"
#include "lab/summary.h"

namespace kelvin::lab {
namespace {

constexpr std::size_t kWindow = 5;  // invokes whose median is looked at

double MedianOf(std::vector<double> values) {
  std::ranges::sort(values);
  return Quantile(values, 0.5);
}

// The median duration of the first, second, ... invoke of an environment.
std::vector<double> DurationsByInvoke(const Record& record, std::size_t function) {
  std::map<int, std::vector<double>> by_invoke;
  for (const Sample& sample : record.samples) {
    if (sample.function != function || sample.outcome != Outcome::kOk || sample.invoke < 1)
      continue;
    by_invoke[sample.invoke].push_back(sample.duration_ms);
  }
  std::vector<double> medians;
  for (auto& [invoke, durations] : by_invoke) medians.push_back(MedianOf(std::move(durations)));
  return medians;
}

// Of the second half: what is compiled as it runs has long been compiled by then.
double InTheEnd(const std::vector<double>& durations) {
  return MedianOf(
      {durations.begin() + static_cast<std::ptrdiff_t>(durations.size() / 2), durations.end()});
}

// The last window that is no faster than `rival` ends where the build overtakes. Gives the number
// of invokes before that; nothing when it is no faster even in the end.
std::optional<std::size_t> InvokesBefore(const std::vector<double>& durations, double rival) {
  for (std::size_t end = durations.size(); end >= kWindow; --end) {
    const std::vector<double> window(durations.begin() + static_cast<std::ptrdiff_t>(end - kWindow),
                                     durations.begin() + static_cast<std::ptrdiff_t>(end));
    if (MedianOf(window) < rival) continue;
    if (end == durations.size()) return std::nullopt;
    // Within that window, the slow ones are those before the fast ones.
    while (end > 0 && durations[end - 1] < rival) --end;
    return end;
  }
  // Every window is faster; what is left are the first few by themselves.
  std::size_t before = std::min(durations.size(), kWindow / 2);
  while (before > 0 && durations[before - 1] < rival) --before;
  return before;
}

std::string LineFor(const Record& record, std::size_t function, std::size_t rival) {
  const auto durations = DurationsByInvoke(record, function);
  const auto rivals = DurationsByInvoke(record, rival);
  if (durations.size() < 2 * kWindow || rivals.size() < 2 * kWindow) return {};
  const auto before = InvokesBefore(durations, InTheEnd(rivals));
  const std::string label = LabelOf(record, function);
  const std::string other = LabelOf(record, rival);
  if (!before) {
    return fmt::format("{} does not overtake {} within {} invokes", label, other, durations.size());
  }
  if (*before == 0) return fmt::format("{} overtakes {} at its first invoke", label, other);
  return fmt::format("{} overtakes {} after {}", label, other,
                     *before == 1 ? "1 invoke" : fmt::format("{} invokes", *before));
}

}  // namespace

std::vector<std::string> OvertakingLines(const Record& record) {
  std::vector<std::string> lines;
  for (std::size_t rival = 0; rival < record.functions.size(); ++rival) {
    if (record.functions[rival].mode != "aot") continue;
    for (std::size_t i = 0; i < record.functions.size(); ++i) {
      const Function& function = record.functions[i];
      if (function.group != record.functions[rival].group ||
          function.memory_mb != record.functions[rival].memory_mb ||
          (function.mode != "jit" && function.mode != "r2r")) {
        continue;
      }
      std::string line = LineFor(record, i, rival);
      if (!line.empty()) lines.push_back(std::move(line));
    }
  }
  return lines;
}

}  // namespace kelvin::lab
