#include "lab/sweep.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "lab/report_parts.h"

namespace kelvin::lab {
namespace {

constexpr std::size_t kPlotRows = 12;
constexpr std::size_t kPlotColumns = 56;

std::string_view Name(Strategy strategy) {
  switch (strategy) {
    case Strategy::kCost:
      return "cost";
    case Strategy::kSpeed:
      return "speed";
    case Strategy::kBalanced:
      return "balanced";
  }
  return "";
}

double Score(const SweepPoint& point, Strategy strategy, double weight, double highest_usd,
             double longest_ms) {
  const double cost = highest_usd > 0 ? point.usd / highest_usd : 0;
  const double time = longest_ms > 0 ? point.duration_ms / longest_ms : 0;
  if (strategy == Strategy::kCost) return cost;
  if (strategy == Strategy::kSpeed) return time;
  return weight * cost + (1 - weight) * time;
}

// Cost upwards, duration to the right; the points of the front as '*', the others as 'o'.
std::string Plot(const std::vector<SweepPoint>& points, const std::vector<bool>& front) {
  const auto [fast, slow] = std::ranges::minmax_element(points, {}, &SweepPoint::duration_ms);
  const auto [cheap, dear] = std::ranges::minmax_element(points, {}, &SweepPoint::usd);
  const auto place = [](double value, double low, double high, std::size_t steps) {
    const double share = high > low ? (value - low) / (high - low) : 0;
    return static_cast<std::size_t>(std::lround(share * static_cast<double>(steps - 1)));
  };
  std::vector<std::string> rows(kPlotRows, std::string(kPlotColumns + 6, ' '));
  for (std::size_t i = 0; i < points.size(); ++i) {
    const std::size_t column =
        place(points[i].duration_ms, fast->duration_ms, slow->duration_ms, kPlotColumns);
    const std::size_t row = kPlotRows - 1 - place(points[i].usd, cheap->usd, dear->usd, kPlotRows);
    rows[row][column] = front[i] ? '*' : 'o';
    const std::string memory = std::to_string(points[i].memory_mb);
    const std::size_t at =
        column + memory.size() + 1 < rows[row].size() ? column + 1 : column - memory.size();
    for (std::size_t c = 0; c < memory.size(); ++c) {
      if (rows[row][at + c] == ' ') rows[row][at + c] = memory[c];
    }
  }
  std::string out = fmt::format("{:>8} |{}\n", FormatUsd(dear->usd), rows.front());
  for (std::size_t i = 1; i + 1 < kPlotRows; ++i) out += fmt::format("{:>8} |{}\n", "", rows[i]);
  out += fmt::format("{:>8} |{}\n", FormatUsd(cheap->usd), rows.back());
  out += fmt::format("{:>8} +{}\n", "", std::string(kPlotColumns + 6, '-'));
  out += fmt::format("{:>10}{:<28}{:>28}\n", "", FormatMs(fast->duration_ms),
                     FormatMs(slow->duration_ms));
  return out;
}

}  // namespace

std::vector<SweepPoint> SweepPoints(const Record& record,
                                    const std::vector<FunctionSummary>& summaries) {
  std::vector<SweepPoint> points;
  for (const FunctionSummary& summary : summaries) {
    if (!summary.warm || !summary.cost_per_million) continue;
    points.push_back({summary.function, record.functions[summary.function].memory_mb,
                      summary.warm->mean, *summary.cost_per_million});
  }
  std::ranges::sort(points, {}, [](const SweepPoint& point) {
    return std::pair(point.memory_mb, point.function);
  });
  return points;
}

std::vector<bool> ParetoFront(const std::vector<SweepPoint>& points) {
  std::vector<bool> front;
  for (const SweepPoint& point : points) {
    front.push_back(std::ranges::none_of(points, [&](const SweepPoint& other) {
      const bool no_worse = other.usd <= point.usd && other.duration_ms <= point.duration_ms;
      return no_worse && (other.usd < point.usd || other.duration_ms < point.duration_ms);
    }));
  }
  return front;
}

std::optional<std::size_t> Recommend(const std::vector<SweepPoint>& points, Strategy strategy,
                                     double cost_weight) {
  if (points.empty()) return std::nullopt;
  const double highest = std::ranges::max(points, {}, &SweepPoint::usd).usd;
  const double longest = std::ranges::max(points, {}, &SweepPoint::duration_ms).duration_ms;
  std::size_t best = 0;
  const auto rank = [&](const SweepPoint& point) {
    const double tie = strategy == Strategy::kCost ? point.duration_ms : point.usd;
    return std::pair(Score(point, strategy, cost_weight, highest, longest), tie);
  };
  for (std::size_t i = 1; i < points.size(); ++i) {
    if (rank(points[i]) < rank(points[best])) best = i;
  }
  return best;
}

std::string SweepReport(const Record& record, const PriceTable& prices, const SweepChoice& choice,
                        const Style& style) {
  const auto summaries = Summarize(record, prices);
  const std::vector<SweepPoint> points = SweepPoints(record, summaries);
  if (points.empty()) return "Nothing was measured at any memory size.\n";
  const std::vector<bool> front = ParetoFront(points);
  Table table{.columns = {{"Memory"},
                          {"Init p50"},
                          {"Cold p50"},
                          {"Warm avg"},
                          {"Warm p99"},
                          {"Max mem"},
                          {"$/1M"},
                          {"Front", Align::kLeft}},
              .rows = {}};
  for (std::size_t i = 0; i < points.size(); ++i) {
    const FunctionSummary& summary = summaries[points[i].function];
    const auto ms = [](const std::optional<Summary>& times, double Summary::* figure) {
      return times ? FormatMs((*times).*figure) : std::string("-");
    };
    table.rows.push_back({fmt::format("{} MB", points[i].memory_mb),
                          ms(summary.init, &Summary::p50), ms(summary.cold_total, &Summary::p50),
                          ms(summary.warm, &Summary::mean), ms(summary.warm, &Summary::p99),
                          fmt::format("{} MB", summary.max_memory_mb), FormatUsd(points[i].usd),
                          front[i] ? "*" : ""});
  }
  std::string out = RenderTable(table, style);
  out += fmt::format("\n{}\n{}",
                     Bold("Cost a million requests against warm duration; * the Pareto "
                          "front",
                          style),
                     Plot(points, front));
  out += fmt::format("\n{}\n", Bold("Recommended", style));
  for (const Strategy strategy : {Strategy::kCost, Strategy::kBalanced, Strategy::kSpeed}) {
    const SweepPoint& best = points[*Recommend(points, strategy, choice.cost_weight)];
    std::string line = fmt::format("{:9} {:>5} MB  {} warm, {} a million", Name(strategy),
                                   best.memory_mb, FormatMs(best.duration_ms), FormatUsd(best.usd));
    if (strategy == Strategy::kBalanced)
      line += fmt::format(" (weight of cost {:g})", choice.cost_weight);
    out += (strategy == choice.strategy ? Green("> " + line, style) : "  " + line) + '\n';
  }
  return out;
}

}  // namespace kelvin::lab
