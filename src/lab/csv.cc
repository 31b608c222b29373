#include <fmt/format.h>

#include "lab/report.h"
#include "lab/summary.h"

namespace kelvin::lab {
namespace {

std::string Field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

void AddRow(const std::vector<std::string>& fields, std::string& out) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) out += ',';
    out += Field(fields[i]);
  }
  out += "\r\n";
}

struct NamedFigure {
  std::string_view name;
  double Summary::* figure;
};
constexpr NamedFigure kFigures[] = {{"mean_ms", &Summary::mean}, {"min_ms", &Summary::min},
                                    {"p50_ms", &Summary::p50},   {"p90_ms", &Summary::p90},
                                    {"p95_ms", &Summary::p95},   {"p99_ms", &Summary::p99},
                                    {"max_ms", &Summary::max}};

struct NamedSummary {
  std::string_view name;
  std::optional<Summary> FunctionSummary::* summary;
};
constexpr NamedSummary kSummaries[] = {{"init", &FunctionSummary::init},
                                       {"first", &FunctionSummary::cold_duration},
                                       {"cold", &FunctionSummary::cold_total},
                                       {"client_cold", &FunctionSummary::cold_client},
                                       {"warm_up", &FunctionSummary::warm_up},
                                       {"warm", &FunctionSummary::warm},
                                       {"client_warm", &FunctionSummary::warm_client}};

void AddDistribution(const std::optional<Summary>& summary, std::vector<std::string>& row) {
  row.push_back(summary ? std::to_string(summary->count) : "0");
  for (const NamedFigure& figure : kFigures) {
    row.push_back(summary ? fmt::format("{:.4f}", (*summary).*(figure.figure)) : "");
  }
}

template <typename T>
std::string Optional(const std::optional<T>& value) {
  return value ? fmt::format("{}", *value) : std::string();
}

}  // namespace

std::string CsvReport(const Record& record, const PriceTable& prices) {
  std::vector<std::string> titles = {"function",       "group",          "mode",
                                     "architecture",   "memory_mb",      "package_bytes",
                                     "unpacked_bytes", "max_memory_mb",  "failures",
                                     "rejected",       "usd_per_million"};
  for (const NamedSummary& summary : kSummaries) {
    titles.push_back(fmt::format("{}_count", summary.name));
    for (const NamedFigure& figure : kFigures) {
      titles.push_back(fmt::format("{}_{}", summary.name, figure.name));
    }
  }
  std::string out;
  AddRow(titles, out);
  for (const FunctionSummary& summary : Summarize(record, prices)) {
    const Function& function = record.functions[summary.function];
    int failures = 0;
    for (const auto& [type, count] : summary.failures) failures += count;
    std::vector<std::string> row = {function.name,
                                    function.group,
                                    function.mode,
                                    function.architecture,
                                    std::to_string(function.memory_mb),
                                    std::to_string(function.code_size),
                                    Optional(function.unpacked_size),
                                    std::to_string(summary.max_memory_mb),
                                    std::to_string(failures),
                                    std::to_string(summary.rejected),
                                    Optional(summary.cost_per_million)};
    for (const NamedSummary& named : kSummaries) AddDistribution(summary.*(named.summary), row);
    AddRow(row, out);
  }
  return out;
}

std::string CsvSamples(const Record& record) {
  std::string out;
  AddRow({"function", "memory_mb", "kind", "outcome", "reason", "invoke", "started", "request_id",
          "client_ms", "init_ms", "duration_ms", "billed_ms", "max_memory_mb"},
         out);
  for (const Sample& sample : record.samples) {
    const Function& function = record.functions[sample.function];
    AddRow({function.name, std::to_string(function.memory_mb),
            std::string(SampleKindName(sample.kind)), std::string(OutcomeName(sample.outcome)),
            sample.reason, std::to_string(sample.invoke), sample.started, sample.request_id,
            fmt::format("{:.4f}", sample.client_ms), Optional(sample.init_ms),
            fmt::format("{}", sample.duration_ms), std::to_string(sample.billed_ms),
            std::to_string(sample.max_memory_mb)},
           out);
  }
  return out;
}

}  // namespace kelvin::lab
