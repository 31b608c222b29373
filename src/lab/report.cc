#include "lab/report.h"

#include <fmt/format.h>

#include "lab/environment.h"
#include "lab/report_parts.h"

namespace kelvin::lab {
namespace {

// Breaks at spaces; lines after the first are indented.
std::string Wrapped(std::string_view text, std::size_t width) {
  constexpr std::string_view kIndent = "  ";
  std::string out;
  std::size_t used = 0;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    const std::size_t more = DisplayWidth(word);
    if (used > 0 && used + 1 + more > width) {
      out += '\n';
      out += kIndent;
      used = kIndent.size();
    } else if (used > 0) {
      out += ' ';
      ++used;
    }
    out += word;
    used += more;
  }
  return out + '\n';
}

}  // namespace

std::string TerminalReport(const Record& record, const PriceTable& prices, const Style& style) {
  const std::vector<FunctionSummary> summaries = Summarize(record, prices);
  std::string out = RenderTable(ComparisonTable(record, summaries), style) + '\n';
  const auto line = [&](const std::string& text) {
    if (!text.empty()) out += Wrapped(text, style.width);
  };
  line(IncompleteLine(record));
  line(CountsLine(record) + ".");
  line(PriceBasisLine(record) + ".");
  line(ComparableWithAws(record).sentence);
  const std::string_view arrow = style.glyphs == Glyphs::kUnicode ? "→" : "->";
  for (const Figure& figure : Figures()) {
    const std::vector<Bar> bars = FigureBars(record, summaries, figure);
    if (bars.size() < 2) continue;
    out += '\n' + Bold(figure.title, style) + '\n';
    out += RenderBars(bars, style);
    for (const auto& text : ImprovementLines(record, summaries, figure, arrow)) line(text);
  }
  const auto table = [&](std::string_view title, const Table& rows) {
    if (!rows.rows.empty())
      out += fmt::format("\n{}\n{}", Bold(title, style), RenderTable(rows, style));
  };
  table("Ratios (reference / other; p of the Mann-Whitney test)", RatioTable(record, summaries));
  table("Engine", EngineTable(record, summaries));
  for (const Section& section : TextSections(record, summaries)) {
    out += '\n' + Bold(section.title, style) + '\n';
    for (const std::string& text : section.lines) line(text);
  }
  return out;
}

std::string MarkdownReport(const Record& record, const PriceTable& prices) {
  const std::vector<FunctionSummary> summaries = Summarize(record, prices);
  std::string out = "# Comparison of Lambda functions\n\n";
  out += fmt::format("{}, {} ({}): {}.\n\n", record.tool, record.started, record.state,
                     CountsLine(record));
  if (const std::string text = IncompleteLine(record); !text.empty()) out += text + "\n\n";
  out += RenderMarkdownTable(ComparisonTable(record, summaries));
  out += fmt::format("\nCold is init plus first invoke. {}. {}\n", PriceBasisLine(record),
                     ComparableWithAws(record).sentence);
  const auto section = [&](std::string_view title, const std::vector<std::string>& lines) {
    if (lines.empty()) return;
    out += fmt::format("\n## {}\n\n", title);
    for (const std::string& line : lines) out += fmt::format("- {}\n", line);
  };
  std::vector<std::string> improvements;
  for (const Figure& figure : Figures()) {
    for (std::string& line : ImprovementLines(record, summaries, figure, "→")) {
      improvements.push_back(std::move(line));
    }
  }
  section("Improvements", improvements);
  const auto table = [&](std::string_view title, const Table& rows) {
    if (!rows.rows.empty()) out += fmt::format("\n## {}\n\n{}", title, RenderMarkdownTable(rows));
  };
  table("Ratios", RatioTable(record, summaries));
  table("Engine", EngineTable(record, summaries));
  for (const Section& part : TextSections(record, summaries)) section(part.title, part.lines);
  out += fmt::format("\n## Repeat\n\nOn {}:\n\n```\n{}\n```\n", MachineLine(record.machine),
                     record.command);
  return out;
}

}  // namespace kelvin::lab
