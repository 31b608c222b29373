#include "lab/report_parts.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "lab/environment.h"
#include "lab/overtaking.h"

namespace kelvin::lab {
namespace {

constexpr std::string_view kNone = "-";

std::string Ms(const std::optional<Summary>& summary, double Summary::* figure) {
  return summary ? FormatMs((*summary).*figure) : std::string(kNone);
}

std::string Usd(const std::optional<double>& amount) {
  return amount ? FormatUsd(*amount) : std::string(kNone);
}

int FailureCount(const FunctionSummary& summary) {
  int count = 0;
  for (const auto& [type, number] : summary.failures) count += number;
  return count;
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
  for (const FunctionSummary& summary : summaries) {
    const Function& function = record.functions[summary.function];
    const std::string label = LabelOf(record, summary.function);
    if (!function.abandoned.empty()) {
      notes.push_back(fmt::format("{}: given up, {}", label, function.abandoned));
    }
    for (const auto& [type, count] : summary.failures) {
      notes.push_back(fmt::format("{}: {} failed with {}, not in the figures", label,
                                  count == 1 ? "1 invoke" : fmt::format("{} invokes", count),
                                  type));
    }
    if (summary.rejected > 0) {
      notes.push_back(fmt::format(
          "{}: {} rejected and taken again", label,
          summary.rejected == 1 ? "1 sample" : fmt::format("{} samples", summary.rejected)));
    }
    const std::size_t cold = summary.cold_total ? summary.cold_total->outliers : 0;
    const std::size_t warm = summary.warm ? summary.warm->outliers : 0;
    if (cold + warm > 0) {
      notes.push_back(
          fmt::format("{}: outliers (kept in the figures): {} cold, {} warm", label, cold, warm));
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
        fmt::format("{}: {}", LabelOf(record, summary.function), fmt::join(parts, ", ")));
  }
  return lines;
}

std::vector<std::string> ClientLines(const Record& record,
                                     const std::vector<FunctionSummary>& summaries) {
  std::vector<std::string> lines;
  for (const FunctionSummary& summary : summaries) {
    if (!summary.cold_client && !summary.warm_client) continue;
    lines.push_back(fmt::format("{}: cold {}, warm {}", LabelOf(record, summary.function),
                                Ms(summary.cold_client, &Summary::p50),
                                Ms(summary.warm_client, &Summary::p50)));
  }
  return lines;
}

std::string WithInterval(const std::optional<Ratio>& ratio) {
  if (!ratio) return std::string(kNone);
  if (!ratio->interval) return FormatRatio(ratio->value);
  return fmt::format("{} ({} to {})", FormatRatio(ratio->value), FormatRatio(ratio->interval->low),
                     FormatRatio(ratio->interval->high));
}

std::string Significance(std::span<const double> a, std::span<const double> b) {
  const auto test = MannWhitney(a, b);
  if (!test) return std::string(kNone);
  return test->p < 0.001 ? "< 0.001" : fmt::format("{:.3f}", test->p);
}

template <typename Number>
std::string ExactRatio(Number a, Number b) {
  if (a <= 0 || b <= 0) return std::string(kNone);
  return FormatRatio(static_cast<double>(a) / static_cast<double>(b));
}

std::string Compiled(std::int64_t functions, double ms) {
  return functions == 0 ? std::string(kNone) : fmt::format("{} in {}", functions, FormatMs(ms));
}

}  // namespace

Table ComparisonTable(const Record& record, const std::vector<FunctionSummary>& summaries) {
  Table table;
  table.columns = {{"Function", Align::kLeft},
                   {"Mode", Align::kLeft},
                   {"Memory"},
                   {"Package"},
                   {"Unpacked"},
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
    std::vector<std::string> row = {
        LabelOf(record, summary.function),
        function.mode.empty() ? std::string(kNone) : function.mode,
        fmt::format("{} MB", function.memory_mb),
        FormatBytes(function.code_size),
        function.unpacked_size ? FormatBytes(*function.unpacked_size) : std::string(kNone),
        Ms(summary.init, &Summary::p50),
        Ms(summary.cold_total, &Summary::p50),
        Ms(summary.cold_total, &Summary::p99),
        Ms(summary.warm, &Summary::mean),
        Ms(summary.warm, &Summary::min),
        Ms(summary.warm, &Summary::p50),
        Ms(summary.warm, &Summary::p99),
        Ms(summary.warm, &Summary::max),
        summary.max_memory_mb > 0 ? fmt::format("{} MB", summary.max_memory_mb)
                                  : std::string(kNone),
        Usd(summary.cost_per_million)};
    if (failed) row.push_back(fmt::format("{}", FailureCount(summary)));
    table.rows.push_back(std::move(row));
  }
  return table;
}

Table RatioTable(const Record& record, const std::vector<FunctionSummary>& summaries) {
  Table table{.columns = {{"Compared", Align::kLeft},
                          {"Cold (95% interval)"},
                          {"p"},
                          {"Warm (95% interval)"},
                          {"p"},
                          {"Memory"},
                          {"Package"},
                          {"Cost"}},
              .rows = {},
              .key_columns = 1};
  for (const Pair& pair : ComparedPairs(record)) {
    const FunctionSummary& a = summaries[pair.reference];
    const FunctionSummary& b = summaries[pair.other];
    table.rows.push_back(
        {fmt::format("{} / {}", LabelOf(record, pair.reference), LabelOf(record, pair.other)),
         WithInterval(RatioOfMedians(a.samples.cold_total, b.samples.cold_total)),
         Significance(a.samples.cold_total, b.samples.cold_total),
         WithInterval(RatioOfMeans(a.samples.warm, b.samples.warm)),
         Significance(a.samples.warm, b.samples.warm), ExactRatio(a.max_memory_mb, b.max_memory_mb),
         ExactRatio(record.functions[pair.reference].code_size,
                    record.functions[pair.other].code_size),
         ExactRatio(a.cost_per_million.value_or(0), b.cost_per_million.value_or(0))});
  }
  return table;
}

Table EngineTable(const Record& record, const std::vector<FunctionSummary>& summaries) {
  Table table{.columns = {{"Function", Align::kLeft},
                          {"Init p50"},
                          {"Load"},
                          {"Compiled cold"},
                          {"Image hits"},
                          {"Image misses"},
                          {"Tier 0 at the end"},
                          {"Tier 1 at the end"}},
              .rows = {},
              .key_columns = 1};
  for (const FunctionSummary& summary : summaries) {
    if (!summary.engine_end) continue;
    const EngineCounters& end = *summary.engine_end;
    const EngineCounters& cold = summary.engine_cold.value_or(end);
    table.rows.push_back({LabelOf(record, summary.function), Ms(summary.init, &Summary::p50),
                          FormatMs(cold.load_ms), Compiled(cold.tier0_functions, cold.tier0_ms),
                          std::to_string(cold.image_hits), std::to_string(cold.image_misses),
                          Compiled(end.tier0_functions, end.tier0_ms),
                          Compiled(end.tier1_functions, end.tier1_ms)});
  }
  return table;
}

std::vector<Figure> Figures() {
  return {
      {"Cold start (init + first invoke), median", "fastest", "faster cold start",
       "slower cold start",
       [](const FunctionSummary& s) {
         return s.cold_total ? std::optional(s.cold_total->p50) : std::nullopt;
       },
       [](const FunctionSummary& a, const FunctionSummary& b) {
         return RatioOfMedians(a.samples.cold_total, b.samples.cold_total);
       },
       FormatMs},
      {"Warm invoke, average", "fastest", "faster warm invokes", "slower warm invokes",
       [](const FunctionSummary& s) { return s.warm ? std::optional(s.warm->mean) : std::nullopt; },
       [](const FunctionSummary& a, const FunctionSummary& b) {
         return RatioOfMeans(a.samples.warm, b.samples.warm);
       },
       FormatMs},
      {"Max memory used", "lowest", "less memory", "more memory",
       [](const FunctionSummary& s) {
         return s.max_memory_mb > 0 ? std::optional<double>(s.max_memory_mb) : std::nullopt;
       },
       [](const FunctionSummary& a, const FunctionSummary& b) -> std::optional<Ratio> {
         if (a.max_memory_mb <= 0 || b.max_memory_mb <= 0) return std::nullopt;
         const double ratio = static_cast<double>(a.max_memory_mb) / b.max_memory_mb;
         return Ratio{.value = ratio, .interval = Interval{ratio, ratio}};
       },
       [](double mb) { return fmt::format("{:.0f} MB", mb); }},
  };
}

std::vector<Bar> FigureBars(const Record& record, const std::vector<FunctionSummary>& summaries,
                            const Figure& figure) {
  std::vector<Bar> bars;
  for (const FunctionSummary& summary : summaries) {
    const auto value = figure.value(summary);
    if (!value) continue;
    const auto& group = record.functions[summary.function].group;
    std::size_t members = 0;
    const bool best = std::ranges::all_of(summaries, [&](const FunctionSummary& rival) {
      if (rival.function == summary.function || !figure.value(rival) ||
          record.functions[rival.function].group != group) {
        return true;
      }
      ++members;
      const auto ratio = figure.ratio(rival, summary);
      return ratio && ratio->interval && ratio->interval->low > 1;
    });
    bars.push_back(Bar{LabelOf(record, summary.function), *value, figure.text(*value),
                       std::string(best && members > 0 ? figure.best : "")});
  }
  std::ranges::sort(bars, [](const Bar& a, const Bar& b) {
    return a.value != b.value ? a.value > b.value : a.label < b.label;
  });
  return bars;
}

std::vector<std::string> ImprovementLines(const Record& record,
                                          const std::vector<FunctionSummary>& summaries,
                                          const Figure& figure, std::string_view arrow) {
  std::vector<std::string> lines;
  for (const Pair& pair : ComparedPairs(record)) {
    const auto ratio = figure.ratio(summaries[pair.reference], summaries[pair.other]);
    if (!ratio || !figure.value(summaries[pair.reference])) continue;
    const std::string names = fmt::format("{} {} {}", LabelOf(record, pair.reference), arrow,
                                          LabelOf(record, pair.other));
    if (!ratio->clear()) {
      lines.push_back(fmt::format(
          "No clear difference ({}): {}", names,
          ratio->value == 1 ? "the same" : "the 95% interval of the ratio has 1 in it"));
    } else if (ratio->value >= 1) {
      lines.push_back(
          fmt::format("Improvement: {} {} ({})", FormatRatio(ratio->value), figure.better, names));
    } else {
      lines.push_back(
          fmt::format("Loss: {} {} ({})", FormatRatio(1 / ratio->value), figure.worse, names));
    }
  }
  return lines;
}

std::vector<Section> TextSections(const Record& record,
                                  const std::vector<FunctionSummary>& summaries) {
  std::vector<Section> sections;
  const auto add = [&](std::string title, std::vector<std::string> lines) {
    if (!lines.empty()) sections.push_back({std::move(title), std::move(lines)});
  };
  add("95% intervals of the medians", IntervalLines(record, summaries));
  add("As the client saw it, median", ClientLines(record, summaries));
  add("When compiling as it runs pays", OvertakingLines(record));
  add("Notes", Notes(record, summaries));
  add("Environment", EnvironmentLines(record));
  add("Isolation that this host lacks", record.conditions.missing_isolation);
  return sections;
}

std::string IncompleteLine(const Record& record) {
  if (record.state == "finished") return {};
  return fmt::format(
      "This run was {} after {} samples: its figures are of those; 'kelvin compare "
      "--resume' goes on with it.",
      record.state == "running" ? "cut short" : record.state, record.samples.size());
}

std::string CountsLine(const Record& record) {
  std::string text =
      fmt::format("{} cold, {} warm-up and {} warm invokes each, in random order, seed {}",
                  record.settings.cold, record.settings.warm_up, record.settings.warm, record.seed);
  if (record.settings.budget_seconds) {
    text += fmt::format(", as many as {:g} s had room for", *record.settings.budget_seconds);
  }
  return text;
}

std::string PriceBasisLine(const Record& record) {
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
  if (!machine.virtualization.empty()) parts.push_back(machine.virtualization);
  if (machine.cpu_limit > 0) parts.push_back(fmt::format("limit {:g} cores", machine.cpu_limit));
  if (!machine.governor.empty()) parts.push_back("governor " + machine.governor);
  parts.push_back(fmt::format("load {:.2f}", machine.load_1m));
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace kelvin::lab
