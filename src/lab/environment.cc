#include "lab/environment.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "lab/report_parts.h"
#include "lab/statistics.h"

namespace kelvin::lab {
namespace {

// Runnable processes a core, beyond which other work must have been in the way.
constexpr double kCalmLoad = 0.75;

void AddWarnings(const Record& record, std::vector<std::string>& lines) {
  const Machine& machine = record.machine;
  const double load = std::max(machine.load_1m, record.conditions.load_end);
  if (machine.cores > 0 && load > machine.cores * kCalmLoad) {
    lines.push_back(
        fmt::format("warning: the machine was busy (load {:.1f} on {} cores): times are longer "
                    "and more scattered than on a calm one",
                    load, machine.cores));
  }
  if (!machine.governor.empty() && machine.governor != "performance") {
    lines.push_back(fmt::format(
        "warning: the CPU governor is {}: the clock changes with the load; 'performance' keeps it",
        machine.governor));
  }
  if (machine.cpu_limit > 0 && machine.cpu_limit < machine.cores) {
    lines.push_back(
        fmt::format("warning: a quota leaves {:g} of {} cores: invokes are throttled beyond it",
                    machine.cpu_limit, machine.cores));
  }
}

}  // namespace

Comparability ComparableWithAws(const Record& record) {
  const std::string& target = record.conditions.target;
  if (target == "aws") {
    return {true, "Measured on AWS: the times are those of its region at that time of day."};
  }
  if (target == "local") {
    return {false,
            "Measured on a local service: no virtual machine to place and no package to fetch, so "
            "milliseconds may not be compared with AWS's; ratios between builds carry over far "
            "better."};
  }
  return {false,
          "Measured at an endpoint that says nothing of its machine: milliseconds may not "
          "be compared with AWS's."};
}

std::vector<std::string> EnvironmentLines(const Record& record) {
  std::vector<std::string> lines;
  const bool local = record.conditions.target == "local";
  lines.push_back(
      fmt::format("{}: {}", local ? "machine" : "measured from", MachineLine(record.machine)));
  if (!record.conditions.isolation.empty()) {
    lines.push_back(fmt::format("in force: {}", fmt::join(record.conditions.isolation, ", ")));
  }
  if (const auto overhead = Summarize(record.conditions.overhead_ms)) {
    lines.push_back(fmt::format(
        "the service's own part of an invoke, as the client sees it: {} median, {} p99, of {} "
        "invokes that no process answers",
        FormatMs(overhead->p50), FormatMs(overhead->p99), overhead->count));
  }
  AddWarnings(record, lines);
  return lines;
}

}  // namespace kelvin::lab
