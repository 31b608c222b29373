#include "lab/advice.h"

#include <algorithm>
#include <map>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "lab/environment.h"
#include "lab/report_parts.h"

namespace kelvin::lab {
namespace {

constexpr double kMsPerHour = 3'600'000;
constexpr double kHighVolume = 1e7;  // requests a month, as the use cases have it

std::optional<double> MonthUsd(const Record& record, const FunctionSummary& summary,
                               const PriceTable& prices, double requests) {
  const Function& function = record.functions[summary.function];
  const auto cost = MonthlyCost(prices, Usage{.requests = requests,
                                              .memory_mb = function.memory_mb,
                                              .warm_billed_ms = summary.warm_billed_ms,
                                              .cold_billed_ms = summary.cold_billed_ms,
                                              .cold_share = record.pricing.cold_share,
                                              .region = record.pricing.region,
                                              .architecture = function.architecture,
                                              .tmp_mb = std::max(function.tmp_mb, 512)});
  if (!cost) return std::nullopt;
  return cost->total_usd();
}

// The rules over the builds of one group.
class Rules {
 public:
  Rules(std::vector<Candidate> candidates, const Needs& needs)
      : candidates_(std::move(candidates)), needs_(needs) {}

  std::vector<Recommendation> All() {
    Stated();
    UseCases();
    return std::move(made_);
  }

  // The cheapest of those that every stated need allows.
  const Candidate* Choice() const {
    std::vector<const Candidate*> fitting;
    for (const Candidate& candidate : candidates_) {
      if (Fits(candidate)) fitting.push_back(&candidate);
    }
    if (fitting.empty()) return nullptr;
    return *std::ranges::min_element(fitting, {}, [](const Candidate* candidate) {
      return std::pair(candidate->month_usd, candidate->cold_ms);
    });
  }

 private:
  static bool HasEngine(const Candidate& candidate) {
    return candidate.mode == "jit" || candidate.mode == "r2r";
  }
  // Code that comes at run time needs an engine that compiles it; so does unrestricted reflection.
  bool Fits(const Candidate& candidate) const {
    if (needs_.cold_target_ms && candidate.cold_ms > *needs_.cold_target_ms) return false;
    if (needs_.budget_usd && candidate.month_usd > *needs_.budget_usd) return false;
    if (needs_.plugins && !HasEngine(candidate)) return false;
    return true;
  }

  template <typename Figure>
  const Candidate& Least(Figure figure) const {
    return *std::ranges::min_element(candidates_, {}, figure);
  }
  const Candidate* OfMode(std::string_view mode) const {
    const auto found = std::ranges::find(candidates_, mode, &Candidate::mode);
    return found == candidates_.end() ? nullptr : &*found;
  }
  // "67.0 ms; the others 400 ms (f-jit)".
  template <typename Figure, typename Text>
  std::string Figures(const Candidate& chosen, Figure figure, Text text) const {
    std::string out = fmt::format("{} {}", chosen.label, text(std::invoke(figure, chosen)));
    for (const Candidate& other : candidates_) {
      if (&other == &chosen) continue;
      out += fmt::format(", {} {}", other.label, text(std::invoke(figure, other)));
    }
    return out;
  }
  void Add(std::string scenario, const Candidate* choice, std::string because,
           std::string changes_if, bool asked = false) {
    made_.push_back({std::move(scenario), choice == nullptr ? "" : choice->label,
                     std::move(because), std::move(changes_if), asked});
  }

  void Stated() {
    if (needs_.cold_target_ms) ColdTarget();
    if (needs_.budget_usd) Budget();
    if (needs_.plugins) Engine("Plugins loaded while it runs", "plugins could be linked in");
    if (needs_.reflection) {
      Engine("Heavy reflection", "what is looked up at run time were described at build time");
    }
    if (needs_.long_running) LongRunning(true);
    if (needs_.prototype) Prototype(true);
    if (needs_.migration) Migration(true);
  }

  void ColdTarget() {
    const double target = *needs_.cold_target_ms;
    const Candidate& fastest = Least(&Candidate::cold_ms);
    const std::string figures = Figures(fastest, &Candidate::cold_ms, FormatMs);
    const bool met = fastest.cold_ms <= target;
    Add(fmt::format("Cold start within {}", FormatMs(target)), met ? &fastest : nullptr,
        fmt::format("cold start, median: {}", figures),
        met ? fmt::format("the target were below {}", FormatMs(fastest.cold_ms))
            : fmt::format("the target were {} or more, or concurrency provisioned",
                          FormatMs(fastest.cold_ms)),
        true);
  }

  void Budget() {
    const Candidate& cheapest = Least(&Candidate::month_usd);
    const bool met = cheapest.month_usd <= *needs_.budget_usd;
    Add(fmt::format("At most {} a month", FormatUsd(*needs_.budget_usd)), met ? &cheapest : nullptr,
        fmt::format("a month: {}", Figures(cheapest, &Candidate::month_usd, FormatUsd)),
        met ? "there were fewer requests than the free tier has"
            : fmt::format("there were fewer requests, or {} allowed",
                          FormatUsd(cheapest.month_usd)),
        true);
  }

  // Of the builds with an engine the one that starts faster.
  void Engine(std::string scenario, std::string changes_if) {
    const Candidate* best = nullptr;
    for (const Candidate& candidate : candidates_) {
      if (HasEngine(candidate) && (best == nullptr || candidate.cold_ms < best->cold_ms)) {
        best = &candidate;
      }
    }
    Add(std::move(scenario), best,
        best == nullptr
            ? "no jit or r2r build was measured, and an aot build has no engine to load code with"
            : fmt::format("needs an engine; cold start, median: {}",
                          Figures(*best, &Candidate::cold_ms, FormatMs)),
        std::move(changes_if), true);
  }

  void UseCases() {
    const Candidate& cold = Least(&Candidate::cold_ms);
    const Candidate& cheap = Least(&Candidate::month_usd);
    const Candidate& steady = Least(&Candidate::warm_p99_ms);
    Add("User-facing APIs", &cold,
        fmt::format("cold start, median: {}; warm p99: {}",
                    Figures(cold, &Candidate::cold_ms, FormatMs),
                    Figures(steady, &Candidate::warm_p99_ms, FormatMs)),
        "concurrency were provisioned, so that nobody met a cold start");
    Add("Event processors", &cheap,
        fmt::format("a month: {}", Figures(cheap, &Candidate::month_usd, FormatUsd)),
        "events came so rarely that cold starts were most of them");
    Add("Scheduled tasks", &cold,
        fmt::format("every run is cold: {}", Figures(cold, &Candidate::cold_ms, FormatMs)),
        "runs came within minutes of each other");
    if (needs_.requests >= kHighVolume) {
      Add("High volume", &cheap,
          fmt::format("{:g} requests a month: {}", needs_.requests,
                      Figures(cheap, &Candidate::month_usd, FormatUsd)),
          "another memory size were cheaper: see 'kelvin sweep'");
    }
    if (!needs_.long_running) LongRunning(false);
    if (!needs_.prototype) Prototype(false);
    if (!needs_.migration) Migration(false);
  }

  void LongRunning(bool asked) {
    const Candidate& warm = Least(&Candidate::warm_ms);
    Add("Long-running computation", &warm,
        fmt::format("the start hardly counts, the warm invoke does: {}",
                    Figures(warm, &Candidate::warm_ms, FormatMs)),
        "a build that compiles hot code again were faster when measured for longer (--warm)",
        asked);
  }

  void Prototype(bool asked) {
    const Candidate* jit = OfMode("jit");
    const Candidate* choice = jit == nullptr ? &Least(&Candidate::cold_ms) : jit;
    Add("Prototypes", choice,
        jit == nullptr ? "no jit build was measured; any of these does"
                       : "nothing is linked: the shortest way from edit to run",
        "it went into production: then the rows above count", asked);
  }

  void Migration(bool asked) {
    const Candidate* jit = OfMode("jit");
    const Candidate* r2r = OfMode("r2r");
    if (jit == nullptr || r2r == nullptr) return;
    const bool gains = r2r->cold_ms < jit->cold_ms;
    Add("Migration testing", gains ? r2r : jit,
        fmt::format("r2r keeps the engine and starts in {}, jit in {}", FormatMs(r2r->cold_ms),
                    FormatMs(jit->cold_ms)),
        "the code had been shown to need no engine: then aot", asked);
  }

  std::vector<Candidate> candidates_;
  const Needs& needs_;
  std::vector<Recommendation> made_;
};

std::optional<Return> Gain(const std::vector<Candidate>& candidates, const Candidate* choice,
                           const Needs& needs, double cold_share) {
  if (choice == nullptr || candidates.size() < 2) return std::nullopt;
  const auto wait = [&](const Candidate& candidate) {
    return candidate.warm_ms * (1 - cold_share) + candidate.cold_ms * cold_share;
  };
  const Candidate& worst = *std::ranges::max_element(candidates, {}, wait);
  if (&worst == choice || worst.label == choice->label) return std::nullopt;
  return Return{.from = worst.label,
                .to = choice->label,
                .usd_a_month = worst.month_usd - choice->month_usd,
                .hours_of_waiting = HoursSaved(needs.requests, wait(worst) - wait(*choice))};
}

}  // namespace

double HoursSaved(double requests, double saved_ms) {
  return requests * saved_ms / kMsPerHour;
}

std::vector<Advice> Advise(const Record& record, const PriceTable& prices, const Needs& needs) {
  std::map<std::string, std::vector<Candidate>> groups;
  for (const FunctionSummary& summary : Summarize(record, prices)) {
    const auto month = MonthUsd(record, summary, prices, needs.requests);
    if (!summary.cold_total || !summary.warm || !month) continue;
    const Function& function = record.functions[summary.function];
    groups[function.group.empty() ? "the functions" : function.group].push_back(
        Candidate{.function = summary.function,
                  .label = LabelOf(record, summary.function),
                  .mode = function.mode,
                  .cold_ms = summary.cold_total->p50,
                  .warm_ms = summary.warm->mean,
                  .warm_p99_ms = summary.warm->p99,
                  .memory_mb = summary.max_memory_mb,
                  .month_usd = *month});
  }
  std::vector<Advice> all;
  for (auto& [group, candidates] : groups) {
    Rules rules(candidates, needs);
    Advice advice{.group = group, .candidates = candidates};
    const Candidate* choice = rules.Choice();
    if (choice != nullptr) advice.choice = choice->label;
    advice.gain = Gain(candidates, choice, needs, record.pricing.cold_share);
    advice.recommendations = rules.All();
    all.push_back(std::move(advice));
  }
  return all;
}

std::string AdviceText(const std::vector<Advice>& all, const Record& record, const Needs& needs) {
  std::string out = fmt::format("{:g} requests a month, {:g} % of them cold, prices of {} in {}.\n",
                                needs.requests, record.pricing.cold_share * 100,
                                record.pricing.date, record.pricing.region);
  out += ComparableWithAws(record).sentence + "\n";
  for (const Advice& advice : all) {
    out += fmt::format("\n{}: {}\n", advice.group,
                       advice.choice.empty() ? "no build that was measured fits every stated need"
                                             : "ship " + advice.choice);
    for (const Candidate& candidate : advice.candidates) {
      out += fmt::format("  {}: cold {}, warm {} (p99 {}), {} MB used, {} a month\n",
                         candidate.label, FormatMs(candidate.cold_ms), FormatMs(candidate.warm_ms),
                         FormatMs(candidate.warm_p99_ms), candidate.memory_mb,
                         FormatUsd(candidate.month_usd));
    }
    if (advice.gain) {
      out +=
          fmt::format("  Return, {} to {}: {} a month, {:.0f} hours of waiting a month removed\n",
                      advice.gain->from, advice.gain->to, FormatUsd(advice.gain->usd_a_month),
                      advice.gain->hours_of_waiting);
    }
    for (const Recommendation& one : advice.recommendations) {
      out += fmt::format("\n  {}{}: {}\n    because {}\n    would change if {}\n",
                         one.asked ? "* " : "", one.scenario,
                         one.choice.empty() ? "none of these" : one.choice, one.because,
                         one.changes_if);
    }
  }
  return out;
}

std::string AdviceJson(const std::vector<Advice>& all) {
  namespace json = boost::json;
  json::array out;
  for (const Advice& advice : all) {
    json::array candidates;
    for (const Candidate& one : advice.candidates) {
      candidates.push_back({{"function", one.label},
                            {"mode", one.mode},
                            {"cold_ms", one.cold_ms},
                            {"warm_ms", one.warm_ms},
                            {"warm_p99_ms", one.warm_p99_ms},
                            {"memory_mb", one.memory_mb},
                            {"usd_a_month", one.month_usd}});
    }
    json::array recommendations;
    for (const Recommendation& one : advice.recommendations) {
      recommendations.push_back({{"scenario", one.scenario},
                                 {"choice", one.choice},
                                 {"because", one.because},
                                 {"changes_if", one.changes_if},
                                 {"asked", one.asked}});
    }
    json::object entry{{"group", advice.group},
                       {"choice", advice.choice},
                       {"candidates", std::move(candidates)},
                       {"recommendations", std::move(recommendations)}};
    if (advice.gain) {
      entry["return"] = {{"from", advice.gain->from},
                         {"to", advice.gain->to},
                         {"usd_a_month", advice.gain->usd_a_month},
                         {"hours_of_waiting", advice.gain->hours_of_waiting}};
    }
    out.push_back(std::move(entry));
  }
  return json::serialize(out) + '\n';
}

}  // namespace kelvin::lab
