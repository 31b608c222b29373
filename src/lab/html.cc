#include <algorithm>
#include <map>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "lab/environment.h"
#include "lab/markup.h"
#include "lab/page_data.h"
#include "lab/report.h"
#include "lab/report_parts.h"
#include "lab/sweep.h"

namespace kelvin::lab {
namespace {

namespace json = boost::json;

// More points than this say nothing more to the eye, and slow a phone down.
constexpr std::size_t kMaxPoints = 1500;
constexpr double kBytesPerMb = 1024.0 * 1024;

double Rounded(double value) {
  return std::round(value * 1e4) / 1e4;
}

// The distribution's shape: evenly spaced order statistics, with both ends.
json::array Shape(std::vector<double> samples) {
  std::ranges::sort(samples);
  json::array points;
  const std::size_t count = std::min(samples.size(), kMaxPoints);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = count == 1 ? 0 : i * (samples.size() - 1) / (count - 1);
    points.push_back(Rounded(samples[at]));
  }
  return points;
}

// [invoke, ms] pairs; where there are too many, the least and the largest of every stretch.
json::array OverInvokes(const Record& record, std::size_t function) {
  std::vector<std::pair<int, double>> all;
  for (const Sample& sample : record.samples) {
    const bool warm = sample.kind != SampleKind::kCold && sample.outcome == Outcome::kOk;
    if (warm && sample.function == function && sample.invoke > 0) {
      all.emplace_back(sample.invoke, sample.duration_ms);
    }
  }
  json::array points;
  const auto add = [&](const std::pair<int, double>& point) {
    points.push_back(json::array{point.first, Rounded(point.second)});
  };
  const std::size_t stretch = all.size() <= kMaxPoints ? 1 : 2 * all.size() / kMaxPoints + 1;
  for (std::size_t start = 0; start < all.size(); start += stretch) {
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(start);
    const auto end =
        all.begin() + static_cast<std::ptrdiff_t>(std::min(start + stretch, all.size()));
    const auto [low, high] = std::minmax_element(
        begin, end, [](const auto& a, const auto& b) { return a.second < b.second; });
    add(low <= high ? *low : *high);
    if (low != high) add(low <= high ? *high : *low);
  }
  return points;
}

json::value IntervalJson(const std::optional<Summary>& summary) {
  if (!summary || !summary->median_confidence) return nullptr;
  return json::array{summary->median_confidence->low, summary->median_confidence->high};
}

json::value Median(const std::optional<Summary>& summary) {
  return summary ? json::value(summary->p50) : json::value(nullptr);
}

std::vector<double> RequestSteps() {
  std::vector<double> steps;
  for (double decade = 1e4; decade < 1e10; decade *= 10) {
    for (const double factor : {1.0, 2.0, 5.0}) steps.push_back(decade * factor);
  }
  return steps;
}

json::value CostLine(const Record& record, const FunctionSummary& summary, const PriceTable& prices,
                     FreeTier free_tier) {
  if (!summary.cost_per_million) return nullptr;
  const Function& function = record.functions[summary.function];
  json::array line;
  for (const double requests : RequestSteps()) {
    const auto cost =
        MonthlyCost(prices, Usage{.requests = requests,
                                  .memory_mb = function.memory_mb,
                                  .warm_billed_ms = summary.warm_billed_ms,
                                  .cold_billed_ms = summary.cold_billed_ms,
                                  .cold_share = summary.cold_total ? record.pricing.cold_share : 0,
                                  .region = record.pricing.region,
                                  .architecture = function.architecture,
                                  .tmp_mb = function.tmp_mb,
                                  .free_tier = free_tier});
    line.push_back(cost ? Rounded(cost->total_usd()) : 0);
  }
  return line;
}

// What is swept over memory sizes belongs together.
std::string SeriesOf(const Function& function) {
  if (function.group.empty()) return function.name;
  return function.mode.empty() ? function.group
                               : fmt::format("{} {}", function.group, function.mode);
}

json::array FunctionsJson(const Record& record, const std::vector<FunctionSummary>& summaries,
                          const PriceTable& prices) {
  json::array functions;
  for (const FunctionSummary& summary : summaries) {
    const Function& function = record.functions[summary.function];
    json::object entry{
        {"label", LabelOf(record, summary.function)},
        {"series", SeriesOf(function)},
        {"memory", function.memory_mb},
        {"maxMemory", summary.max_memory_mb},
        {"package", static_cast<double>(function.code_size) / kBytesPerMb},
        {"unpacked", function.unpacked_size
                         ? json::value(static_cast<double>(*function.unpacked_size) / kBytesPerMb)
                         : json::value(nullptr)},
        {"cold", Shape(summary.samples.cold_total)},
        {"coldMedian", Median(summary.cold_total)},
        {"coldInterval", IntervalJson(summary.cold_total)},
        {"initMedian", Median(summary.init)},
        {"warm", Shape(summary.samples.warm)},
        {"warmMedian", Median(summary.warm)},
        {"warmInterval", IntervalJson(summary.warm)},
        {"invokes", OverInvokes(record, summary.function)}};
    entry["cost"] = CostLine(record, summary, prices, FreeTier::kIgnore);
    entry["costFree"] = CostLine(record, summary, prices, FreeTier::kApply);
    functions.push_back(std::move(entry));
  }
  return functions;
}

// One entry for each function that was measured at several memory sizes.
json::array SweepsJson(const Record& record, const std::vector<FunctionSummary>& summaries) {
  std::map<std::string, std::vector<SweepPoint>> by_series;
  for (const SweepPoint& point : SweepPoints(record, summaries)) {
    by_series[SeriesOf(record.functions[point.function])].push_back(point);
  }
  json::array sweeps;
  for (const auto& [name, points] : by_series) {
    if (points.size() < 2 || points.front().memory_mb == points.back().memory_mb) continue;
    const std::vector<bool> front = ParetoFront(points);
    json::array list;
    for (std::size_t i = 0; i < points.size(); ++i) {
      list.push_back({{"memory", points[i].memory_mb},
                      {"ms", points[i].duration_ms},
                      {"usd", points[i].usd},
                      {"front", static_cast<bool>(front[i])}});
    }
    sweeps.push_back({{"name", name}, {"points", std::move(list)}});
  }
  return sweeps;
}

// JSON that cannot end the script element it stands in.
std::string ScriptJson(const json::value& value) {
  std::string out;
  for (const char c : json::serialize(value)) {
    if (c == '<') {
      out += "\\u003c";
    } else {
      out += c;
    }
  }
  return out;
}

std::string HtmlTable(const Table& table) {
  std::string out = "<div class=\"scroll\"><table>\n<thead><tr>";
  const auto css = [&](std::size_t column) {
    return table.columns[column].align == Align::kLeft ? " class=\"left\"" : "";
  };
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    out += fmt::format("<th scope=\"col\"{}><button type=\"button\">{}</button></th>", css(i),
                       EscapeMarkup(table.columns[i].title));
  }
  out += "</tr></thead>\n<tbody>\n";
  for (const auto& row : table.rows) {
    out += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += fmt::format("<td{}>{}</td>", css(i), EscapeMarkup(row[i]));
    }
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

std::string List(const std::vector<std::string>& lines) {
  std::string out = "<ul>\n";
  for (const std::string& line : lines) out += fmt::format("<li>{}</li>\n", EscapeMarkup(line));
  return out + "</ul>\n";
}

std::string ChartFigure(std::string_view id, std::string_view title, std::string_view caption,
                        std::string_view more = {}) {
  return fmt::format(
      "<figure><h3>{1}</h3><div class=\"canvas\"><canvas id=\"{0}\" role=\"img\" "
      "aria-label=\"{1}\"></canvas></div><figcaption>{2}{3}</figcaption></figure>\n",
      id, EscapeMarkup(title), EscapeMarkup(caption), more);
}

std::string Charts(bool with_sweep) {
  std::string out = "<div class=\"charts\">\n";
  out += ChartFigure("chart-cold", "Cold starts",
                     "Each point is a cold start: init and first invoke. The mark is the median "
                     "with its 95% interval.");
  out +=
      ChartFigure("chart-warm", "Warm invokes", "Each point is an invoke of a warm environment.");
  out +=
      ChartFigure("chart-invokes", "Latency over invoke number",
                  "The first invokes after a cold start show how long a build takes to get warm.");
  out +=
      ChartFigure("chart-cost", "Cost a month", "At the record's cold share and prices. ",
                  "<label><input type=\"checkbox\" id=\"free-tier\"> with the free tier</label>");
  out += ChartFigure("chart-memory", "Max memory used", "The highest of all invokes.");
  out += ChartFigure("chart-package", "Package size",
                     "The zip, and (pale) its files where they were at hand.");
  out += ChartFigure("chart-memory-size", "Init against memory size",
                     "Init runs with a whole vCPU at every size.");
  if (with_sweep) {
    out += ChartFigure("chart-sweep", "Memory sweep",
                       "Cost against duration at each memory size; the dashed line is the Pareto "
                       "front: what no other size beats in both.");
  }
  return out + "</div>\n";
}

constexpr std::string_view kHead =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
    "'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n"
    "<link rel=\"icon\" href=\"data:,\">\n";

}  // namespace

std::string HtmlReport(const Record& record, const PriceTable& prices) {
  const std::vector<FunctionSummary> summaries = Summarize(record, prices);
  const json::array sweeps = SweepsJson(record, summaries);
  json::array requests;
  for (const double step : RequestSteps()) requests.push_back(step);
  const json::object data{{"requests", std::move(requests)},
                          {"functions", FunctionsJson(record, summaries, prices)},
                          {"sweeps", sweeps}};
  std::string out(kHead);
  out += "<title>Comparison of Lambda functions</title>\n<style>\n";
  out += PageStyle();
  out += "</style>\n</head>\n<body>\n<h1>Comparison of Lambda functions</h1>\n";
  const auto paragraph = [&](std::string_view css, const std::string& text) {
    if (!text.empty()) out += fmt::format("<p class=\"{}\">{}</p>\n", css, EscapeMarkup(text));
  };
  paragraph("quiet", fmt::format("{}, {} ({}): {}. {}.", record.tool, record.started, record.state,
                                 CountsLine(record), PriceBasisLine(record)));
  paragraph("notice", IncompleteLine(record));
  const Comparability comparability = ComparableWithAws(record);
  paragraph(comparability.comparable ? "quiet" : "notice", comparability.sentence);
  out += "<h2>Figures</h2>\n" + HtmlTable(ComparisonTable(record, summaries));
  std::vector<std::string> improvements;
  for (const Figure& figure : Figures()) {
    for (std::string& line : ImprovementLines(record, summaries, figure, "→")) {
      improvements.push_back(std::move(line));
    }
  }
  if (!improvements.empty()) out += List(improvements);
  out += "<h2>Charts</h2>\n" + Charts(!sweeps.empty());
  const auto table = [&](std::string_view title, const Table& rows) {
    if (!rows.rows.empty()) out += fmt::format("<h2>{}</h2>\n{}", title, HtmlTable(rows));
  };
  table("Ratios: the first over the second, and p of the Mann-Whitney test",
        RatioTable(record, summaries));
  table("Engine", EngineTable(record, summaries));
  for (const Section& section : TextSections(record, summaries)) {
    out += fmt::format("<h2>{}</h2>\n{}", EscapeMarkup(section.title), List(section.lines));
  }
  out += fmt::format("<h2>Repeat</h2>\n<pre>{}</pre>\n", EscapeMarkup(record.command));
  out += fmt::format("<script type=\"application/json\" id=\"data\">{}</script>\n<script>\n",
                     ScriptJson(data));
  out += ChartScript();
  out += "\n</script>\n<script>\n";
  out += PageScript();
  return out + "</script>\n</body>\n</html>\n";
}

}  // namespace kelvin::lab
