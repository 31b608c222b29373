#include "cli/inspect_text.h"

#include <algorithm>

#include <fmt/format.h>

#include "lab/report.h"

namespace kelvin::cli {
namespace {

using package::Finding;
using package::InspectReport;
using package::SizedName;

std::string Percent(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return "-";
  return fmt::format("{:.1f}%", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

std::string Sizes(std::string_view title, const std::vector<SizedName>& names, std::size_t shown,
                  const lab::Style& style) {
  if (names.empty()) return {};
  std::uint64_t all = 0;
  for (const SizedName& name : names) all += name.bytes;
  lab::Table table;
  table.columns = {{std::string(title), lab::Align::kLeft}, {"Size"}, {"Share"}};
  for (std::size_t i = 0; i < std::min(shown, names.size()); ++i) {
    table.rows.push_back(
        {names[i].name, lab::FormatBytes(names[i].bytes), Percent(names[i].bytes, all)});
  }
  std::string text = lab::RenderTable(table, style);
  if (names.size() > shown) {
    text += fmt::format("and {} more; --all shows them\n", names.size() - shown);
  }
  return text + '\n';
}

// Broken at blanks to the width, each line but the first indented.
std::string Wrapped(std::string_view text, std::size_t indent, std::size_t width) {
  std::string out;
  std::size_t column = indent;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (column > indent && column + 1 + end > width) {
      out += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      out += ' ';
      ++column;
    }
    out += text.substr(0, end);
    column += end;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string FindingText(const Finding& finding, const lab::Style& style) {
  constexpr std::size_t kIndent = 10;
  std::string place = finding.file;
  if (finding.has_offset) place += fmt::format(" at {:#x}", finding.offset);
  std::string what = finding.evidence;
  if (finding.count > 1) what += fmt::format(" ({} times)", finding.count);
  if (!place.empty()) what = fmt::format("{}: {}", place, what);
  const std::string severity(package::SeverityName(finding.severity));
  std::string text = fmt::format("  {:7} {} {}\n", severity, lab::Bold(finding.rule->id, style),
                                 finding.rule->name);
  const std::string indent(kIndent, ' ');
  text += indent + Wrapped(what, kIndent, style.width) + '\n';
  text += indent + lab::Dim(Wrapped(finding.rule->meaning, kIndent, style.width), style) + '\n';
  text += indent + Wrapped("Fix: " + finding.fix, kIndent, style.width) + '\n';
  return text;
}

}  // namespace

std::string InspectText(const InspectReport& report, std::size_t shown, const lab::Style& style) {
  std::string text = fmt::format("{}\n", lab::Bold(report.source, style));
  text += fmt::format(
      "  {}: {}{}\n", package::ContainerName(report.container), report.identity.what,
      report.identity.architecture.empty() ? ""
                                           : fmt::format(", {}", report.identity.architecture));
  text +=
      fmt::format("  {} packed, {} unpacked, {} file{}; checked against {}\n\n",
                  lab::FormatBytes(report.packed_bytes), lab::FormatBytes(report.unpacked_bytes),
                  report.files.size(), report.files.size() == 1 ? "" : "s", report.runtime);
  text += Sizes("File", report.files, shown, style);
  text +=
      Sizes(fmt::format("Section of {}", report.identity.program), report.sections, shown, style);
  using package::Area;
  for (const Area area : {Area::kStart, Area::kStartTime, Area::kAot, Area::kHardening}) {
    const auto in_area = [area](const Finding& finding) { return finding.rule->area == area; };
    const auto count = std::ranges::count_if(report.findings, in_area);
    std::string title(package::AreaTitle(area));
    title.front() = static_cast<char>(title.front() - 'a' + 'A');
    text += lab::Bold(title, style) + (count == 0 ? ": nothing found\n" : "\n");
    for (const Finding& finding : report.findings) {
      if (in_area(finding)) text += FindingText(finding, style);
    }
  }
  text += fmt::format(
      "\n{} errors, {} warnings, {} notes\n", report.Count(package::Severity::kError),
      report.Count(package::Severity::kWarning), report.Count(package::Severity::kNote));
  return text;
}

}  // namespace kelvin::cli
