// From spawn to the first GET .../next of each function, measured in turn with the floor, so that
// what the machine does meanwhile hits all alike; then memory, page faults, package size, and the
// function's CPU time per warm invoke.
// The CPU time is taken twice: with the peer on the same CPU, which is what the function itself
// costs, and placed freely, where it also pays for waking the peer's idle CPU.
//   startup_bench [ROUNDS]
#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <sched.h>

#include "runtime_peer.h"

namespace kelvin::bench {
namespace {

constexpr int kDefaultRounds = 300;
constexpr int kWarmInvokes = 10'000;

// What a function must stay under.
struct Bars {
  double floor_ratio;
  double memory_mb;
  double zip_kb;
  double cpu_us;
};

struct Subject {
  std::string name;
  std::string program;
  std::string zip = {};
  std::string event = {};
  std::optional<Bars> bars = {};
  std::vector<double> start_ms = {};
  std::uint64_t peak_kb = 0;
  std::uint64_t faults = 0;
  double cpu_us = 0;       // peer and function on one CPU
  double free_cpu_us = 0;  // wherever the kernel puts them
};

std::string ProgramOf(std::string_view function) {
  return fmt::format(KELVIN_BUILD_FOLDER "/functions/{0}/{0}-aot/bootstrap", function);
}

std::string ZipOf(std::string_view function) {
  return fmt::format(KELVIN_BUILD_FOLDER "/packages/{}-aot.zip", function);
}

std::vector<Subject> Subjects() {
  std::vector<Subject> subjects = {
      {.name = "floor", .program = KELVIN_BENCH_FLOOR},
      {.name = "hello",
       .program = ProgramOf("hello"),
       .zip = ZipOf("hello"),
       .event = R"({"name":"Ada"})",
       .bars = Bars{.floor_ratio = 1.5, .memory_mb = 2.5, .zip_kb = 600, .cpu_us = 30}},
  };
  // Without a table to write to, it is measured up to its first request only.
  Subject create_item{.name = "create-item",
                      .program = ProgramOf("create-item"),
                      .zip = ZipOf("create-item"),
                      .bars = Bars{.floor_ratio = 2, .memory_mb = 6, .zip_kb = 2560, .cpu_us = 30}};
  if (std::filesystem::exists(create_item.program)) subjects.push_back(std::move(create_item));
  return subjects;
}

double Quantile(std::vector<double> values, double q) {
  const auto nth =
      values.begin() + static_cast<std::ptrdiff_t>(q * static_cast<double>(values.size() - 1));
  std::ranges::nth_element(values, nth);
  return *nth;
}

void MeasureStart(Subject& subject, RuntimePeer& peer) {
  const auto before = std::chrono::steady_clock::now();
  const Child child(subject.program, peer.address());
  peer.AcceptFirstRequest();
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - before;
  subject.start_ms.push_back(took.count());
  subject.peak_kb = std::max(subject.peak_kb, child.PeakMemoryKb());
  subject.faults = child.MinorFaults();
  peer.Disconnect();
}

// Keeps this process, and what it starts, on one CPU while it lives.
class OnOneCpu {
 public:
  OnOneCpu() {
    sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    sched_setaffinity(0, sizeof one, &one);
  }
  OnOneCpu(const OnOneCpu&) = delete;
  OnOneCpu& operator=(const OnOneCpu&) = delete;
  ~OnOneCpu() { sched_setaffinity(0, sizeof before_, &before_); }

 private:
  cpu_set_t before_;
};

// CPU microseconds of the function per warm invoke.
double MeasureWarm(Subject& subject, RuntimePeer& peer) {
  std::optional<Child> child(std::in_place, subject.program, peer.address());
  peer.AcceptFirstRequest();
  for (int i = 0; i < 100; ++i) peer.Serve(subject.event);
  const auto before = child->CpuTime();
  for (int i = 0; i < kWarmInvokes; ++i) peer.Serve(subject.event);
  const std::chrono::duration<double, std::micro> used = child->CpuTime() - before;
  subject.peak_kb = std::max(subject.peak_kb, child->PeakMemoryKb());
  child.reset();  // first, or it would connect again
  peer.Disconnect();
  return used.count() / kWarmInvokes;
}

std::string Against(double value, double bar, int precision) {
  return fmt::format("{:.{}f} {} {:g}", value, precision, value <= bar ? "<=" : "> !", bar);
}

void Print(const Subject& subject, double floor_ms) {
  const double median = Quantile(subject.start_ms, 0.5);
  fmt::print("{:<12} {:>8.3f} {:>8.3f} {:>8.3f} ", subject.name, median,
             Quantile(subject.start_ms, 0.25), Quantile(subject.start_ms, 0.75));
  const double peak_mb = static_cast<double>(subject.peak_kb) / 1024;
  if (!subject.bars) {
    fmt::print("{:>14} {:>7} {:>16.2f}\n", "1.00", subject.faults, peak_mb);
    return;
  }
  const bool warm = !subject.event.empty();
  const double zip_kb = static_cast<double>(std::filesystem::file_size(subject.zip)) / 1024;
  fmt::print("{:>14} {:>7} {:>16} {:>16} {:>16} {:>6}\n",
             Against(median / floor_ms, subject.bars->floor_ratio, 2), subject.faults,
             Against(peak_mb, subject.bars->memory_mb, 2), Against(zip_kb, subject.bars->zip_kb, 0),
             warm ? Against(subject.cpu_us, subject.bars->cpu_us, 1) : "-",
             warm ? fmt::format("{:.1f}", subject.free_cpu_us) : "-");
}

int Main(int rounds) {
  RuntimePeer peer;
  std::vector<Subject> subjects = Subjects();
  std::vector<std::size_t> order(subjects.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::minstd_rand random(1);
  for (int round = 0; round < rounds; ++round) {
    std::ranges::shuffle(order, random);
    for (const std::size_t i : order) MeasureStart(subjects[i], peer);
  }
  for (Subject& subject : subjects) {
    if (subject.event.empty()) continue;
    subject.free_cpu_us = MeasureWarm(subject, peer);
    const OnOneCpu pinned;
    subject.cpu_us = MeasureWarm(subject, peer);
  }
  fmt::print("spawn to first next, {} rounds in random order; {} warm invokes\n", rounds,
             kWarmInvokes);
  fmt::print("{:<12} {:>8} {:>8} {:>8} {:>14} {:>7} {:>16} {:>16} {:>16} {:>6}\n", "function",
             "p50 ms", "p25", "p75", "x floor", "faults", "peak MB", "zip KB", "CPU us/invoke",
             "free");
  const double floor_ms = Quantile(subjects.front().start_ms, 0.5);
  for (const Subject& subject : subjects) Print(subject, floor_ms);
  return 0;
}

}  // namespace
}  // namespace kelvin::bench

int main(int argc, char** argv) {
  int rounds = kelvin::bench::kDefaultRounds;
  if (argc > 1) {
    const char* end = argv[1] + std::strlen(argv[1]);
    const auto parsed = std::from_chars(argv[1], end, rounds);
    if (argc > 2 || parsed.ptr != end || rounds < 1) {
      fmt::print(stderr, "expected a number of rounds from 1, got '{}'\n", argv[1]);
      return 2;
    }
  }
  return kelvin::bench::Main(rounds);
}
