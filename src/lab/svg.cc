#include <algorithm>

#include <fmt/format.h>

#include "lab/markup.h"
#include "lab/report.h"
#include "lab/report_parts.h"

namespace kelvin::lab {
namespace {

constexpr int kWidth = 760;
constexpr int kLabels = 190;  // columns of names
constexpr int kValues = 150;  // room behind the longest bar
constexpr int kRow = 26;
constexpr int kBar = 16;
constexpr int kTitle = 34;

constexpr std::string_view kStyle =
    "text{font:13px system-ui,-apple-system,'Segoe UI',sans-serif;fill:#1f2328}"
    ".t{font-weight:600;font-size:15px}.n{fill:#59636e;font-size:12px}"
    ".b{fill:#6e87a8}.w{fill:#1a7f37}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.n{fill:#9198a1}.b{fill:#7d93b2}"
    ".w{fill:#3fb950}}";

void AddText(int x, int y, std::string_view css, std::string_view text, std::string& out) {
  out += fmt::format("<text x=\"{}\" y=\"{}\"{}>{}</text>\n", x, y,
                     css.empty() ? "" : fmt::format(" class=\"{}\"", css), EscapeMarkup(text));
}

int AddBars(const std::vector<Bar>& bars, int y, std::string& out) {
  double longest = 0;
  for (const Bar& bar : bars) longest = std::max(longest, bar.value);
  for (const Bar& bar : bars) {
    const double share = longest > 0 ? bar.value / longest : 0;
    const double width = std::max(2.0, share * (kWidth - kLabels - kValues));
    AddText(8, y + 13, "", bar.label, out);
    out += fmt::format(
        "<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\" rx=\"2\"/>\n",
        bar.mark.empty() ? "b" : "w", kLabels, y, width, kBar);
    const std::string text = bar.mark.empty() ? bar.text : bar.text + "  " + bar.mark;
    AddText(kLabels + static_cast<int>(width) + 8, y + 13, "", text, out);
    y += kRow;
  }
  return y;
}

}  // namespace

std::string SvgReport(const Record& record, const PriceTable& prices) {
  const std::vector<FunctionSummary> summaries = Summarize(record, prices);
  std::string body;
  int y = 8;
  for (const Figure& figure : Figures()) {
    const std::vector<Bar> bars = FigureBars(record, summaries, figure);
    if (bars.empty()) continue;
    AddText(8, y + 16, "t", figure.title, body);
    y = AddBars(bars, y + kTitle, body);
    for (const std::string& line : ImprovementLines(record, summaries, figure, "→")) {
      AddText(kLabels, y + 12, "n", line, body);
      y += 20;
    }
    y += 14;
  }
  AddText(8, y + 8, "n", CountsLine(record), body);
  AddText(8, y + 26, "n", MachineLine(record.machine), body);
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
      "height=\"{1}\" role=\"img\" aria-label=\"Cold start, warm invoke and memory by "
      "build\">\n<style>{2}</style>\n{3}</svg>\n",
      kWidth, y + 40, kStyle, body);
}

}  // namespace kelvin::lab
