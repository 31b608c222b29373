#include "lab/report.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "lab/summary.h"

namespace kelvin::lab {
namespace {

constexpr std::string_view kNone = "-";
// Runnable processes a core, beyond which other work must have been in the way.
constexpr double kCalmLoad = 0.75;

std::string Ms(const std::optional<Summary>& summary, double Summary::* figure) {
  return summary ? FormatMs((*summary).*figure) : std::string(kNone);
}

std::string Usd(const std::optional<double>& amount) {
  return amount ? fmt::format("${:.2f}", *amount) : std::string(kNone);
}

int FailureCount(const FunctionSummary& summary) {
  int count = 0;
  for (const auto& [type, number] : summary.failures) count += number;
  return count;
}

// The comparison table of both formats.
Table ComparisonTable(const Record& record, const std::vector<FunctionSummary>& summaries) {
  Table table;
  table.columns = {{"Function", Align::kLeft},
                   {"Mode", Align::kLeft},
                   {"Memory"},
                   {"Package"},
                   {"Init p50"},
                   {"Cold p50"},
                   {"Cold p99"},
                   {"Warm avg"},
                   {"Warm min"},
                   {"Warm p50"},
                   {"Warm p99"},
                   {"Warm max"},
                   {"Max mem"},
                   {"$/1M"}};
  const bool failed = std::any_of(summaries.begin(), summaries.end(),
                                  [](const auto& summary) { return !summary.failures.empty(); });
  if (failed) table.columns.push_back({"Failed"});
  for (const FunctionSummary& summary : summaries) {
    const Function& function = record.functions[summary.function];
    std::vector<std::string> row = {function.name,
                                    function.mode.empty() ? std::string(kNone) : function.mode,
                                    fmt::format("{} MB", function.memory_mb),
                                    FormatBytes(function.code_size),
                                    Ms(summary.init, &Summary::p50),
                                    Ms(summary.cold_total, &Summary::p50),
                                    Ms(summary.cold_total, &Summary::p99),
                                    Ms(summary.warm, &Summary::mean),
                                    Ms(summary.warm, &Summary::min),
                                    Ms(summary.warm, &Summary::p50),
                                    Ms(summary.warm, &Summary::p99),
                                    Ms(summary.warm, &Summary::max),
                                    summary.max_memory_mb > 0
                                        ? fmt::format("{} MB", summary.max_memory_mb)
                                        : std::string(kNone),
                                    Usd(summary.cost_per_million)};
    if (failed) row.push_back(fmt::format("{}", FailureCount(summary)));
    table.rows.push_back(std::move(row));
  }
  return table;
}

// One of the figures that get bars and an improvement line.
struct Figure {
  std::string_view title;
  std::string_view best;
  std::string_view gain;  // "7.1x <gain>"
  std::optional<double> (*value)(const FunctionSummary&);
  std::optional<Interval> (*interval)(const FunctionSummary&);
  std::string (*text)(double);
};

std::optional<Interval> NoInterval(const FunctionSummary&) {
  return std::nullopt;
}

constexpr Figure kFigures[] = {
    {"Cold start (init + first invoke), median", "fastest", "faster cold start",
     [](const FunctionSummary& s) {
       return s.cold_total ? std::optional(s.cold_total->p50) : std::nullopt;
     },
     [](const FunctionSummary& s) {
       return s.cold_total ? s.cold_total->median_confidence : std::nullopt;
     },
     FormatMs},
    {"Warm invoke, average", "fastest", "faster warm invokes",
     [](const FunctionSummary& s) { return s.warm ? std::optional(s.warm->mean) : std::nullopt; },
     [](const FunctionSummary& s) { return s.warm ? s.warm->mean_confidence : std::nullopt; },
     FormatMs},
    {"Max memory used", "lowest", "less memory",
     [](const FunctionSummary& s) {
       return s.max_memory_mb > 0 ? std::optional<double>(s.max_memory_mb) : std::nullopt;
     },
     NoInterval, [](double mb) { return fmt::format("{:.0f} MB", mb); }},
};

std::string_view NameOf(const Record& record, std::size_t function) {
  return record.functions[function].name;
}

std::vector<std::string> ImprovementLines(const Record& record, const Figure& figure,
                                          const std::vector<Improvement>& improvements,
                                          std::string_view arrow) {
  std::vector<std::string> lines;
  for (const Improvement& found : improvements) {
    const std::string pair =
        fmt::format("{} {} {}", NameOf(record, found.worst), arrow, NameOf(record, found.best));
    lines.push_back(
        found.clear ? fmt::format("Improvement: {:.1f}x {} ({})", found.ratio, figure.gain, pair)
                    : fmt::format("No clear difference ({}): the 95% intervals overlap", pair));
  }
  return lines;
}

std::vector<Bar> Bars(const Record& record, const std::vector<FunctionSummary>& summaries,
                      const Figure& figure, const std::vector<Improvement>& improvements) {
  std::vector<Bar> bars;
  for (const FunctionSummary& summary : summaries) {
    const auto value = figure.value(summary);
    if (!value) continue;
    const bool best = std::ranges::any_of(improvements, [&](const Improvement& found) {
      return found.clear && found.best == summary.function;
    });
    bars.push_back(Bar{std::string(NameOf(record, summary.function)), *value, figure.text(*value),
                       std::string(best ? figure.best : "")});
  }
  std::ranges::sort(bars, [](const Bar& a, const Bar& b) {
    return a.value != b.value ? a.value > b.value : a.label < b.label;
  });
  return bars;
}

void AddInterval(std::string_view of, const std::optional<Summary>& summary,
                 std::vector<std::string>& parts) {
  if (!summary || !summary->median_confidence) return;
  parts.push_back(fmt::format("{} {} to {}", of, FormatMs(summary->median_confidence->low),
                              FormatMs(summary->median_confidence->high)));
}

// What a reader has to know before trusting the figures.
std::vector<std::string> Notes(const Record& record,
                               const std::vector<FunctionSummary>& summaries) {
  std::vector<std::string> notes;
  const Machine& machine = record.machine;
  if (machine.cores > 0 && machine.load_1m > machine.cores * kCalmLoad) {
    notes.push_back(
        fmt::format("the machine was busy when the run began (load {:.1f} on {} cores): "
                    "times are longer and more scattered than on a calm one",
                    machine.load_1m, machine.cores));
  }
  for (const FunctionSummary& summary : summaries) {
    const Function& function = record.functions[summary.function];
    if (!function.abandoned.empty()) {
      notes.push_back(fmt::format("{}: given up, {}", function.name, function.abandoned));
    }
    for (const auto& [type, count] : summary.failures) {
      notes.push_back(fmt::format("{}: {} failed with {}, not in the figures", function.name,
                                  count == 1 ? "1 invoke" : fmt::format("{} invokes", count),
                                  type));
    }
    if (summary.rejected > 0) {
      notes.push_back(fmt::format(
          "{}: {} rejected and taken again", function.name,
          summary.rejected == 1 ? "1 sample" : fmt::format("{} samples", summary.rejected)));
    }
    const std::size_t cold = summary.cold_total ? summary.cold_total->outliers : 0;
    const std::size_t warm = summary.warm ? summary.warm->outliers : 0;
    if (cold + warm > 0) {
      notes.push_back(fmt::format("{}: outliers (kept in the figures): {} cold, {} warm",
                                  function.name, cold, warm));
    }
  }
  return notes;
}

std::vector<std::string> IntervalLines(const Record& record,
                                       const std::vector<FunctionSummary>& summaries) {
  std::vector<std::string> lines;
  for (const FunctionSummary& summary : summaries) {
    std::vector<std::string> parts;
    AddInterval("cold", summary.cold_total, parts);
    AddInterval("warm", summary.warm, parts);
    if (parts.empty()) continue;
    lines.push_back(
        fmt::format("{}: {}", NameOf(record, summary.function), fmt::join(parts, ", ")));
  }
  return lines;
}

std::vector<std::string> ClientLines(const Record& record,
                                     const std::vector<FunctionSummary>& summaries) {
  std::vector<std::string> lines;
  for (const FunctionSummary& summary : summaries) {
    if (!summary.cold_client && !summary.warm_client) continue;
    lines.push_back(fmt::format("{}: cold {}, warm {}", NameOf(record, summary.function),
                                Ms(summary.cold_client, &Summary::p50),
                                Ms(summary.warm_client, &Summary::p50)));
  }
  return lines;
}

// Empty for a run that got to its end.
std::string Incomplete(const Record& record) {
  if (record.state == "finished") return {};
  return fmt::format("This run was {} after {} samples: its figures are of those.", record.state,
                     record.samples.size());
}

std::string Counts(const Record& record) {
  return fmt::format("{} cold, {} warm-up and {} warm invokes each, interleaved, seed {}",
                     record.settings.cold, record.settings.warm_up, record.settings.warm,
                     record.seed);
}

std::string PriceBasis(const Record& record) {
  return fmt::format(
      "$/1M: a million requests at {} prices of {}, {:g} % of them cold, no free tier",
      record.pricing.region, record.pricing.date, record.pricing.cold_share * 100);
}

std::string MachineLine(const Machine& machine) {
  std::vector<std::string> parts;
  if (!machine.cpu_model.empty()) parts.push_back(machine.cpu_model);
  parts.push_back(fmt::format("{} {}", machine.cores, machine.cores == 1 ? "core" : "cores"));
  if (machine.memory_mb > 0) parts.push_back(fmt::format("{} MB", machine.memory_mb));
  if (!machine.kernel.empty()) parts.push_back(machine.kernel);
  if (!machine.governor.empty()) parts.push_back("governor " + machine.governor);
  parts.push_back(fmt::format("load {:.2f}", machine.load_1m));
  return fmt::format("{}", fmt::join(parts, ", "));
}

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

std::string FormatMs(double ms) {
  if (ms < 10) return fmt::format("{:.2f} ms", ms);
  if (ms < 100) return fmt::format("{:.1f} ms", ms);
  return fmt::format("{:.0f} ms", ms);
}

std::string FormatBytes(std::uint64_t bytes) {
  constexpr double kKilo = 1024;
  const auto amount = static_cast<double>(bytes);
  if (amount < kKilo) return fmt::format("{} B", bytes);
  if (amount < kKilo * kKilo) return fmt::format("{:.0f} KB", amount / kKilo);
  return fmt::format("{:.2f} MB", amount / kKilo / kKilo);
}

std::string TerminalReport(const Record& record, const PriceTable& prices, const Style& style) {
  const std::vector<FunctionSummary> summaries = Summarize(record, prices);
  std::string out = RenderTable(ComparisonTable(record, summaries), style) + '\n';
  if (const std::string text = Incomplete(record); !text.empty()) out += Wrapped(text, style.width);
  out += Wrapped(Counts(record) + ".", style.width);
  out += Wrapped(PriceBasis(record) + ".", style.width);
  const std::string_view arrow = style.glyphs == Glyphs::kUnicode ? "→" : "->";
  for (const Figure& figure : kFigures) {
    const auto improvements = FindImprovements(record, summaries, figure.value, figure.interval);
    const std::vector<Bar> bars = Bars(record, summaries, figure, improvements);
    if (bars.size() < 2) continue;
    out += '\n' + Bold(figure.title, style) + '\n';
    out += RenderBars(bars, style);
    for (const std::string& line : ImprovementLines(record, figure, improvements, arrow)) {
      out += Wrapped(line, style.width);
    }
  }
  const auto section = [&](std::string_view title, const std::vector<std::string>& lines) {
    if (lines.empty()) return;
    out += '\n' + Bold(title, style) + '\n';
    for (const std::string& line : lines) out += Wrapped(line, style.width);
  };
  section("95% intervals of the medians", IntervalLines(record, summaries));
  section("As the client saw it, median", ClientLines(record, summaries));
  section("Notes", Notes(record, summaries));
  section("Isolation that this host lacks", record.conditions.missing_isolation);
  return out;
}

std::string MarkdownReport(const Record& record, const PriceTable& prices) {
  const std::vector<FunctionSummary> summaries = Summarize(record, prices);
  std::string out = "# Comparison of Lambda functions\n\n";
  out += fmt::format("{}, {} ({}): {}.\n\n", record.tool, record.started, record.state,
                     Counts(record));
  if (const std::string text = Incomplete(record); !text.empty()) out += text + "\n\n";
  out += RenderMarkdownTable(ComparisonTable(record, summaries));
  out += fmt::format("\nCold is init plus first invoke. {}.\n", PriceBasis(record));
  const auto section = [&](std::string_view title, const std::vector<std::string>& lines) {
    if (lines.empty()) return;
    out += fmt::format("\n## {}\n\n", title);
    for (const std::string& line : lines) out += fmt::format("- {}\n", line);
  };
  std::vector<std::string> improvements;
  for (const Figure& figure : kFigures) {
    const auto found = FindImprovements(record, summaries, figure.value, figure.interval);
    for (std::string& line : ImprovementLines(record, figure, found, "→")) {
      improvements.push_back(std::move(line));
    }
  }
  section("Improvements", improvements);
  section("95% intervals of the medians", IntervalLines(record, summaries));
  section("As the client saw it, median", ClientLines(record, summaries));
  section("Notes", Notes(record, summaries));
  section("Isolation that this host lacks", record.conditions.missing_isolation);
  out += fmt::format("\n## Repeat\n\nOn {}:\n\n```\n{}\n```\n", MachineLine(record.machine),
                     record.command);
  return out;
}

}  // namespace kelvin::lab
