// The lab's own error: 'kelvin compare' against a function that works for 1, 5, 20 and 100 ms by a
// busy clock; then how long the statistics and the HTML page of 100,000 samples take.
//   lab_bench [WARM_SAMPLES]
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <string>

#include <fmt/format.h>

#include "base/file.h"
#include "lab/cost.h"
#include "lab/record_reader.h"
#include "lab/report.h"
#include "lab/summary.h"

namespace kelvin::bench {
namespace {

constexpr double kAbsoluteBarMs = 0.1;
constexpr double kRelativeBar = 0.01;
constexpr std::size_t kManySamples = 100'000;
constexpr double kReportBarSeconds = 2;

template <typename T>
T OrExit(std::expected<T, Error> made) {
  if (made) return std::move(*made);
  fmt::print(stderr, "lab_bench: {}\n", made.error().message);
  std::exit(1);
}

lab::Record Measure(const std::filesystem::path& folder, double ms, int samples) {
  const std::string command = fmt::format(
      "{} compare {} --memory 1769 --payload '{{\"ms\":{}}}' --cold 1 --warm-up 5 --warm {} --seed "
      "1 "
      "--out {} >/dev/null 2>&1",
      KELVIN_BENCH_COMMAND, KELVIN_BENCH_BUSY, ms, samples, folder.native());
  if (std::system(command.c_str()) != 0) {
    fmt::print(stderr, "lab_bench: this failed: {}\n", command);
    std::exit(1);
  }
  return OrExit(lab::ParseRecord(OrExit(ReadFile(folder / "compare.json"))));
}

void MeasureErrors(const std::filesystem::path& folder, const lab::PriceTable& prices,
                   int samples) {
  fmt::print("{:>8}  {:>14}  {:>9}  {:>9}  bar\n", "asked", "median", "error", "allowed");
  for (const double ms : {1.0, 5.0, 20.0, 100.0}) {
    const auto summaries = lab::Summarize(Measure(folder, ms, samples), prices);
    const double median = summaries.front().warm->p50;
    const double error = std::abs(median - ms);
    const double allowed = std::max(kAbsoluteBarMs, kRelativeBar * ms);
    fmt::print("{:5} ms  {:11.2f} ms  {:6.2f} ms  {:6.2f} ms  {}\n", ms, median, error, allowed,
               error <= allowed ? "met" : "MISSED");
  }
}

void MeasureReport(lab::Record record, const lab::PriceTable& prices) {
  const lab::Sample warm = record.samples.back();
  while (record.samples.size() < kManySamples) {
    record.samples.push_back(warm);
    // Every value is different, so that nothing is sorted already.
    record.samples.back().duration_ms = std::fmod(record.samples.size() * 0.6180339887, 1.0) * 50;
    record.samples.back().invoke = static_cast<int>(record.samples.size());
  }
  const auto start = std::chrono::steady_clock::now();
  const std::string page = lab::HtmlReport(record, prices);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  fmt::print("statistics and HTML of {} samples: {:.2f} s, {} KB; bar {} s: {}\n",
             record.samples.size(), seconds, page.size() / 1024, kReportBarSeconds,
             seconds <= kReportBarSeconds ? "met" : "MISSED");
}

int Run(int samples) {
  const auto folder = OrExit(TemporaryDirectory::Create());
  const lab::PriceTable prices = OrExit(lab::ParsePriceTable(lab::BuiltInPrices()));
  MeasureErrors(folder.path(), prices, samples);
  MeasureReport(OrExit(lab::ParseRecord(OrExit(ReadFile(folder.path() / "compare.json")))), prices);
  return 0;
}

}  // namespace
}  // namespace kelvin::bench

int main(int argc, char** argv) {
  const int samples = argc > 1 ? std::atoi(argv[1]) : 200;
  if (samples < 1) {
    fmt::print(stderr, "usage: lab_bench [WARM_SAMPLES]\n");
    return 2;
  }
  return kelvin::bench::Run(samples);
}
