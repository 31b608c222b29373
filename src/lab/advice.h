#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lab/cost.h"
#include "lab/record.h"
#include "lab/summary.h"

namespace kelvin::lab {

// What the user needs of a function.
struct Needs {
  double requests = 1e6;                      // a month
  std::optional<double> cold_target_ms = {};  // a cold start may take this long
  std::optional<double> budget_usd = {};      // a month
  bool plugins = false;                       // code is loaded while it runs
  bool reflection = false;                    // heavy use of run-time reflection
  bool long_running = false;                  // invokes that compute for minutes
  bool prototype = false;                     // the fastest turn of edit and run counts most
  bool migration = false;                     // moving an existing function, at low risk
};

// One build, as a rule sees it.
struct Candidate {
  std::size_t function = 0;  // index into Record::functions
  std::string label = {};
  std::string mode = {};
  double cold_ms = 0;  // median
  double warm_ms = 0;  // mean
  double warm_p99_ms = 0;
  int memory_mb = 0;  // highest used
  double month_usd = 0;
};

// What a rule says: which build, the figures that decided it, and what would change it.
struct Recommendation {
  std::string scenario = {};  // "User-facing APIs", "Cold start below 100 ms"
  std::string choice = {};    // a label; empty where no build fits
  std::string because = {};
  std::string changes_if = {};
  bool asked = false;  // it follows from a stated need, not from the table of use cases
};

// What the best build saves against the dearest or slowest of the same group.
struct Return {
  std::string from = {};
  std::string to = {};
  double usd_a_month = 0;
  double hours_of_waiting = 0;  // a month, over all requests, the cold share of them cold
};

struct Advice {
  std::string group = {};
  std::vector<Candidate> candidates = {};
  std::string choice = {};  // the build that fits all stated needs; empty where none does
  std::vector<Recommendation> recommendations = {};
  std::optional<Return> gain = {};
};

// One advice for each group of the record that has a build with cold and warm samples.
std::vector<Advice> Advise(const Record& record, const PriceTable& prices, const Needs& needs);

std::string AdviceText(const std::vector<Advice>& advice, const Record& record, const Needs& needs);
// The same for scripts.
std::string AdviceJson(const std::vector<Advice>& advice);

// Hours that `requests` users together wait less when each waits `saved_ms` less.
double HoursSaved(double requests, double saved_ms);

}  // namespace kelvin::lab
