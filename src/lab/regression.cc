#include "lab/regression.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "lab/report_parts.h"

namespace kelvin::lab {
namespace {

constexpr double kAlpha = 0.05;
constexpr double kBusyDifference = 1;  // of the load, in runnable processes

struct TimeFigure {
  std::string_view name;
  std::vector<double> SampleColumns::* samples;
};
constexpr TimeFigure kTimes[] = {{"init", &SampleColumns::init},
                                 {"first", &SampleColumns::cold_duration},
                                 {"cold", &SampleColumns::cold_total},
                                 {"warm_up", &SampleColumns::warm_up},
                                 {"warm", &SampleColumns::warm},
                                 {"client_cold", &SampleColumns::cold_client},
                                 {"client_warm", &SampleColumns::warm_client}};

struct Statistic {
  std::string_view name;
  double quantile;  // negative for the mean
};
constexpr Statistic kStatistics[] = {{"mean", -1},  {"min", 0},    {"p50", 0.5}, {"p90", 0.9},
                                     {"p95", 0.95}, {"p99", 0.99}, {"max", 1}};

struct ExactFigure {
  std::string_view name;
  double (*value)(const Function&, const FunctionSummary&);
};
constexpr ExactFigure kExact[] = {
    {"memory", [](const Function&,
                  const FunctionSummary& s) { return static_cast<double>(s.max_memory_mb); }},
    {"package",
     [](const Function& f, const FunctionSummary&) { return static_cast<double>(f.code_size); }},
    {"cost",
     [](const Function&, const FunctionSummary& s) { return s.cost_per_million.value_or(0); }}};

// What a pull request wants to know when no rule asks for more.
constexpr std::string_view kShown[] = {"init.p50", "cold.p50", "warm.p50", "warm.mean",
                                       "warm.p99", "memory",   "package",  "cost"};

template <typename Entries>
std::vector<std::string_view> Names(const Entries& entries) {
  std::vector<std::string_view> names;
  for (const auto& entry : entries) names.push_back(entry.name);
  return names;
}

template <typename Entries>
const auto* Find(const Entries& entries, std::string_view name) {
  const auto* found =
      std::ranges::find(entries, name, [](const auto& entry) { return entry.name; });
  return found == std::end(entries) ? nullptr : found;
}

std::unexpected<Error> BadRule(std::string_view text, std::string_view why) {
  return std::unexpected(
      Error{ErrorCode::kInvalidArgument,
            fmt::format("expected --fail-if to be a rule such as 'cold.p50 > 10%', 'warm.mean > "
                        "0.5 ms' or 'memory > 5 MB', got '{}': {}",
                        text, why)});
}

std::string_view Trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// "10%", "0.5 ms", "5 MB", "1000".
bool ParseLimit(std::string_view text, FailIf& rule) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rule.limit);
  if (error != std::errc{} || !std::isfinite(rule.limit) || rule.limit < 0) return false;
  const std::string_view unit = Trimmed(text.substr(static_cast<std::size_t>(end - text.data())));
  rule.unit = unit == "%" ? FailIf::Unit::kPercent : FailIf::Unit::kAbsolute;
  if (unit == "%") return true;
  if (!rule.statistic.empty()) return unit == "ms";
  if (rule.figure == "memory") return unit == "MB";
  if (rule.figure == "package") return unit == "B" || unit.empty();
  return unit == "$" || unit.empty();
}

std::string NameOf(const FailIf& rule) {
  return rule.statistic.empty() ? rule.figure : rule.figure + '.' + rule.statistic;
}

double ValueOf(const std::vector<double>& samples, const Statistic& statistic) {
  if (statistic.quantile < 0) return Mean(samples);
  std::vector<double> sorted = samples;
  std::ranges::sort(sorted);
  return Quantile(sorted, statistic.quantile);
}

// None when one side has no samples.
std::optional<Change> TimeChange(const FunctionSummary& before, const FunctionSummary& after,
                                 const TimeFigure& figure, const Statistic& statistic) {
  const std::vector<double>& a = after.samples.*(figure.samples);
  const std::vector<double>& b = before.samples.*(figure.samples);
  if (a.empty() || b.empty()) return std::nullopt;
  Change change{.figure = fmt::format("{}.{}", figure.name, statistic.name),
                .before = ValueOf(b, statistic),
                .after = ValueOf(a, statistic)};
  change.ratio = statistic.quantile < 0 ? RatioOfMeans(a, b).value()
                                        : RatioOfQuantiles(a, b, statistic.quantile).value();
  change.p = MannWhitney(a, b)->p;
  const bool central = statistic.quantile < 0 || statistic.quantile == 0.5;
  change.significant = change.ratio.clear() && (!central || *change.p < kAlpha);
  return change;
}

std::optional<Change> ExactChange(const Function& before, const FunctionSummary& before_summary,
                                  const Function& after, const FunctionSummary& after_summary,
                                  const ExactFigure& figure) {
  const double b = figure.value(before, before_summary);
  const double a = figure.value(after, after_summary);
  if (a <= 0 || b <= 0) return std::nullopt;
  return Change{.figure = std::string(figure.name),
                .before = b,
                .after = a,
                .ratio = {.value = a / b},
                .significant = a != b};
}

struct Side {
  const Record& record;
  std::vector<FunctionSummary> summaries;
};

std::optional<Change> MakeChange(const Side& before, std::size_t b, const Side& after,
                                 std::size_t a, std::string_view name) {
  const std::size_t dot = name.find('.');
  std::optional<Change> change;
  if (dot == std::string_view::npos) {
    change = ExactChange(before.record.functions[b], before.summaries[b], after.record.functions[a],
                         after.summaries[a], *Find(kExact, name));
  } else {
    change = TimeChange(before.summaries[b], after.summaries[a], *Find(kTimes, name.substr(0, dot)),
                        *Find(kStatistics, name.substr(dot + 1)));
  }
  if (change) change->function = LabelOf(after.record, a);
  return change;
}

bool Breaks(const Change& change, const FailIf& rule) {
  if (!change.significant) return false;
  if (rule.unit == FailIf::Unit::kPercent) return (change.ratio.value - 1) * 100 > rule.limit;
  return change.after - change.before > rule.limit;
}

std::vector<std::pair<std::size_t, std::size_t>> Matching(const Record& before,
                                                          const Record& after) {
  std::vector<std::pair<std::size_t, std::size_t>> matches;
  for (std::size_t a = 0; a < after.functions.size(); ++a) {
    for (std::size_t b = 0; b < before.functions.size(); ++b) {
      if (LabelOf(before, b) == LabelOf(after, a)) matches.emplace_back(b, a);
    }
  }
  if (matches.empty() && before.functions.size() == 1 && after.functions.size() == 1) {
    matches.emplace_back(0, 0);
  }
  return matches;
}

void AddNotes(const Record& before, const Record& after, Regression& regression) {
  const auto note = [&](std::string text) { regression.notes.push_back(std::move(text)); };
  if (before.machine.cpu_model != after.machine.cpu_model) {
    note(fmt::format("measured on different processors ({} and {}): times are not comparable",
                     before.machine.cpu_model, after.machine.cpu_model));
  }
  if (before.conditions.target != after.conditions.target) {
    note(fmt::format("measured in different places ({} and {})", before.conditions.target,
                     after.conditions.target));
  }
  if (std::abs(before.machine.load_1m - after.machine.load_1m) > kBusyDifference) {
    note(fmt::format("the machine's load was {:.1f} and {:.1f}", before.machine.load_1m,
                     after.machine.load_1m));
  }
  for (const auto& [name, record] : {std::pair("first", &before), std::pair("second", &after)}) {
    if (record->state != "finished") note(fmt::format("the {} run did not get to its end", name));
  }
  for (const auto& [b, a] : Matching(before, after)) {
    if (before.functions[b].memory_mb == after.functions[a].memory_mb) continue;
    note(fmt::format("{}: measured at {} and {} MB", LabelOf(after, a),
                     before.functions[b].memory_mb, after.functions[a].memory_mb));
  }
}

std::string Value(const Change& change, double value) {
  if (change.figure == "memory") return fmt::format("{:.0f} MB", value);
  if (change.figure == "package") return FormatBytes(static_cast<std::uint64_t>(value));
  if (change.figure == "cost") return FormatUsd(value);
  return FormatMs(value);
}

std::string Percent(double ratio) {
  return fmt::format("{:+.1f} %", (ratio - 1) * 100);
}

std::string Verdict(const Change& change) {
  if (!change.broken.empty()) return "FAIL: " + change.broken;
  if (!change.significant) {
    const bool testable = change.ratio.interval || !change.p;
    return testable ? "no clear change" : "too few samples to tell";
  }
  return change.ratio.value > 1 ? "worse" : "better";
}

Table ChangeTable(const Regression& regression) {
  Table table{.columns = {{"Function", Align::kLeft},
                          {"Figure", Align::kLeft},
                          {"Before"},
                          {"After"},
                          {"Change"},
                          {"95% interval"},
                          {"p"},
                          {"Verdict", Align::kLeft}},
              .rows = {},
              .key_columns = 2};
  for (const Change& change : regression.changes) {
    table.rows.push_back({change.function, change.figure, Value(change, change.before),
                          Value(change, change.after), Percent(change.ratio.value),
                          change.ratio.interval
                              ? fmt::format("{} to {}", Percent(change.ratio.interval->low),
                                            Percent(change.ratio.interval->high))
                              : "-",
                          change.p ? fmt::format("{:.3f}", *change.p) : "-", Verdict(change)});
  }
  return table;
}

}  // namespace

std::expected<FailIf, Error> ParseFailIf(std::string_view text) {
  FailIf rule;
  rule.text = text;
  const std::size_t greater = text.find('>');
  if (greater == std::string_view::npos) return BadRule(text, "it has no '>'");
  const std::string_view name = Trimmed(text.substr(0, greater));
  const std::size_t dot = name.find('.');
  rule.figure = name.substr(0, dot);
  const bool timed = Find(kTimes, rule.figure) != nullptr;
  if (!timed && Find(kExact, rule.figure) == nullptr) {
    return BadRule(text,
                   fmt::format("'{}' is none of the figures {}, {}", rule.figure,
                               fmt::join(Names(kTimes), ", "), fmt::join(Names(kExact), ", ")));
  }
  if (dot != std::string_view::npos) rule.statistic = name.substr(dot + 1);
  if (timed != !rule.statistic.empty() || (timed && Find(kStatistics, rule.statistic) == nullptr)) {
    return BadRule(text, timed ? fmt::format("{} needs one of {} behind a dot", rule.figure,
                                             fmt::join(Names(kStatistics), ", "))
                               : fmt::format("{} is one value, without a statistic", rule.figure));
  }
  if (!ParseLimit(Trimmed(text.substr(greater + 1)), rule)) {
    return BadRule(text, timed ? "behind '>' goes a percentage or a time in ms, not negative"
                               : "behind '>' goes a percentage or an amount (MB of memory, B of "
                                 "the package, $), not negative");
  }
  return rule;
}

bool Regression::failed() const {
  return std::ranges::any_of(changes, [](const Change& change) { return !change.broken.empty(); });
}

std::expected<Regression, Error> CompareRecords(const Record& before, const Record& after,
                                                const std::vector<FailIf>& rules,
                                                const PriceTable& prices) {
  const Side b{before, Summarize(before, prices)};
  const Side a{after, Summarize(after, prices)};
  const auto matches = Matching(before, after);
  if (matches.empty()) {
    return std::unexpected(Error{ErrorCode::kInvalidArgument,
                                 "expected records of the same functions, got none with the same "
                                 "name in both; measure the same ones"});
  }
  std::vector<std::string> names(std::begin(kShown), std::end(kShown));
  for (const FailIf& rule : rules) {
    const std::string name = NameOf(rule);
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  Regression regression;
  for (const auto& [first, second] : matches) {
    for (const std::string& name : names) {
      auto change = MakeChange(b, first, a, second, name);
      for (const FailIf& rule : rules) {
        if (NameOf(rule) != name) continue;
        if (!change) {
          return std::unexpected(Error{
              ErrorCode::kInvalidArgument,
              fmt::format("expected both records to have {} of {} for --fail-if '{}', one has "
                          "none; measure it, or leave the rule out",
                          name, LabelOf(after, second), rule.text)});
        }
        if (Breaks(*change, rule)) change->broken = rule.text;
      }
      if (change) regression.changes.push_back(std::move(*change));
    }
  }
  AddNotes(before, after, regression);
  return regression;
}

std::string RegressionText(const Regression& regression, const Style& style) {
  std::string out = RenderTable(ChangeTable(regression), style) + '\n';
  for (const std::string& note : regression.notes) out += fmt::format("Note: {}\n", note);
  out += regression.failed() ? "Failed: a rule is broken.\n" : "No rule is broken.\n";
  return out;
}

std::string RegressionMarkdown(const Regression& regression, const Record& before,
                               const Record& after) {
  std::string out = fmt::format("### Lambda measurements: {}\n\n{} against {}.\n\n",
                                regression.failed() ? "a rule is broken" : "no rule is broken",
                                after.started, before.started);
  out += RenderMarkdownTable(ChangeTable(regression));
  for (const std::string& note : regression.notes) out += fmt::format("\n- {}", note);
  return out + '\n';
}

}  // namespace kelvin::lab
