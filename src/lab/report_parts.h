#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/comparison.h"
#include "lab/format.h"
#include "lab/record.h"
#include "lab/summary.h"
#include "lab/table.h"

// What the formats of a report have in common: tables, bars and lines, made from a record.
namespace kelvin::lab {

// One row a function: modes, sizes, cold and warm figures, cost.
Table ComparisonTable(const Record& record, const std::vector<FunctionSummary>& summaries);
// One row a compared pair: how the reference's figures relate to the other's, with intervals and
// the rank test. No rows where no functions share a group.
Table RatioTable(const Record& record, const std::vector<FunctionSummary>& summaries);
// What the engine compiled and found precompiled; no rows where none reported.
Table EngineTable(const Record& record, const std::vector<FunctionSummary>& summaries);

// One of the figures that get bars and improvement lines, less being better.
struct Figure {
  std::string_view title;
  std::string_view best;    // what the best one is marked with
  std::string_view better;  // "7.1x <better>"
  std::string_view worse;
  std::optional<double> (*value)(const FunctionSummary&);
  // Of the first over the second; without an interval for figures that are exact.
  std::optional<Ratio> (*ratio)(const FunctionSummary&, const FunctionSummary&);
  std::string (*text)(double);
};
// Cold start, warm invoke, memory.
std::vector<Figure> Figures();

// The bars of a figure, the largest first; the best is marked where it is so beyond doubt.
std::vector<Bar> FigureBars(const Record& record, const std::vector<FunctionSummary>& summaries,
                            const Figure& figure);
// "Improvement: 7.1x faster cold start (jit → aot)" for each compared pair.
std::vector<std::string> ImprovementLines(const Record& record,
                                          const std::vector<FunctionSummary>& summaries,
                                          const Figure& figure, std::string_view arrow);

struct Section {
  std::string title;
  std::vector<std::string> lines;
};
// Intervals, client-seen times, the environment and what could mislead; empty sections left out.
std::vector<Section> TextSections(const Record& record,
                                  const std::vector<FunctionSummary>& summaries);

// Empty for a run that got to its end.
std::string IncompleteLine(const Record& record);
std::string CountsLine(const Record& record);
std::string PriceBasisLine(const Record& record);
std::string MachineLine(const Machine& machine);

}  // namespace kelvin::lab
