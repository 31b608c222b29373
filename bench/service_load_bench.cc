// `kelvin serve` under load, with the function hello in real sandboxes: rates and latencies of 1, 8
// and 32 keep-alive clients; what 200 idle sandboxes take; whether memory grows over many invokes;
// 100 invokes at once of a cold function, beside single cold starts.
//   service_load_bench [INVOKES_FOR_GROWTH]      1000000 for the whole; 100000 by default
#include <algorithm>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/encoding.h"
#include "base/file.h"
#include "http_load.h"
#include "server_process.h"

namespace kelvin::bench {
namespace {

constexpr std::string_view kEvent = R"({"name":"Ada"})";
constexpr int kInvokes = 20'000;
constexpr int kWarmUps = 2'000;
constexpr int kSandboxes = 200;
constexpr int kBurst = 100;
constexpr int kLoneStarts = 15;
constexpr int kRemembered = 100'000;
constexpr double kMedianBarMs = 0.2;
constexpr double kRateBar = 12'000;
constexpr double kSandboxBarKb = 60;
constexpr double kGrowthBarKb = 256;
constexpr double kBurstBar = 3;

template <typename T>
T OrDie(std::expected<T, Error> made) {
  if (!made) Die(made.error().message);
  return std::move(*made);
}

std::string_view Met(bool met) {
  return met ? "met" : "MISSED";
}

std::string InvokePath(std::string_view function) {
  return fmt::format("/2015-03-31/functions/{}/invocations", function);
}

void CreateFunction(int port, std::string_view name, const std::string& zip, int memory_mb) {
  const boost::json::object body{{"FunctionName", name},
                                 {"Runtime", "provided.al2023"},
                                 {"Role", "arn:aws:iam::123456789012:role/bench"},
                                 {"Handler", "bootstrap"},
                                 {"MemorySize", memory_mb},
                                 {"Code", {{"ZipFile", Base64Encode(zip)}}}};
  Call(port, "POST", "/2015-03-31/functions", boost::json::serialize(body));
}

double Percentile(std::vector<double>& samples, double share) {
  std::ranges::sort(samples);
  return samples[static_cast<std::size_t>(share * static_cast<double>(samples.size() - 1))];
}

void MeasureRates(int port) {
  const std::string request = RequestText("POST", InvokePath("hello"), kEvent);
  fmt::print("{:>7}  {:>9}  {:>9}  {:>9}  {:>9}\n", "clients", "invokes/s", "median", "p90", "p99");
  for (const int clients : {1, 8, 32}) {
    HttpLoad load(port, clients);
    load.Run(request, kWarmUps);
    const auto start = std::chrono::steady_clock::now();
    auto times = load.Run(request, kInvokes);
    const double rate = kInvokes / (Since(start) / 1e6);
    const double median = Percentile(times, 0.5);
    std::string bar;
    if (clients == 1) {
      bar = fmt::format("bar: median {} ms: {}", kMedianBarMs, Met(median <= kMedianBarMs));
    } else if (clients == 32) {
      bar = fmt::format("bar: {}/s: {}", kRateBar, Met(rate >= kRateBar));
    }
    fmt::print("{:7}  {:9.0f}  {:6.3f} ms  {:6.3f} ms  {:6.3f} ms  {}\n", clients, rate, median,
               Percentile(times, 0.9), Percentile(times, 0.99), bar);
  }
}

// Kilobytes that a process shares with no other.
double PrivateKb(int pid) {
  const auto text = ReadFile(fmt::format("/proc/{}/smaps_rollup", pid));
  double sum = 0;
  if (!text) return 0;
  for (const std::string_view key : {"Private_Clean:", "Private_Dirty:"}) {
    const std::size_t at = text->find(key);
    if (at != text->npos) sum += std::atof(text->c_str() + at + key.size());
  }
  return sum;
}

std::vector<int> ChildrenOf(int pid) {
  std::vector<int> children;
  const auto text = ReadFile(fmt::format("/proc/{0}/task/{0}/children", pid));
  const char* at = text ? text->data() : nullptr;
  const char* const end = text ? at + text->size() : nullptr;
  while (at < end) {
    int child = 0;
    at = std::from_chars(at, end, child).ptr + 1;
    children.push_back(child);
  }
  return children;
}

struct Memory {
  double service = 0;
  double launcher = 0;
  double keepers = 0;
  std::size_t sandboxes = 0;
};

// The function itself, a child of its keeper, is not counted.
Memory MemoryOf(int service) {
  Memory memory{.service = PrivateKb(service)};
  for (const int launcher : ChildrenOf(service)) {
    memory.launcher += PrivateKb(launcher);
    for (const int keeper : ChildrenOf(launcher)) {
      memory.keepers += PrivateKb(keeper);
      ++memory.sandboxes;
    }
  }
  return memory;
}

void MeasureSandboxes(int port, int pid) {
  const Memory before = MemoryOf(pid);
  Call(port, "POST", "/2015-03-31/functions/small/versions", "{}");
  const std::string path = "/2019-09-30/functions/small/provisioned-concurrency?Qualifier=1";
  Call(port, "PUT", path, fmt::format(R"({{"ProvisionedConcurrentExecutions":{}}})", kSandboxes));
  while (!Call(port, "GET", path, "").body.contains("READY")) {
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
  }
  std::this_thread::sleep_for(std::chrono::milliseconds{500});  // until the last is frozen
  const Memory after = MemoryOf(pid);
  const auto count = static_cast<double>(after.sandboxes - before.sandboxes);
  const double service = (after.service - before.service) / count;
  const double launcher = (after.launcher - before.launcher) / count;
  const double keeper = (after.keepers - before.keepers) / count;
  const double sum = service + launcher + keeper;
  fmt::print(
      "{:.0f} idle sandboxes: {:.1f} KB each of memory shared with no other process (service "
      "{:.1f}, "
      "launcher {:.1f}, keeper {:.1f}); bar {} KB: {}\n",
      count, sum, service, launcher, keeper, kSandboxBarKb, Met(sum <= kSandboxBarKb));
  Call(port, "DELETE", path, "");
}

void MeasureGrowth(int port, int pid, int invokes) {
  const std::string request = RequestText("POST", InvokePath("hello"), kEvent);
  HttpLoad load(port, 8);
  const auto measure = [&](int count) {
    load.Run(request, count);
    std::this_thread::sleep_for(std::chrono::seconds{1});  // until all log lines are written
    return PrivateKb(pid);
  };
  // What is kept at all is there by then: buffers, the allocator's reserves, and what the service
  // remembers of its newest 100,000 invokes.
  const double before = measure(std::max(invokes / 4, kRemembered));
  const double growth = measure(invokes) - before;
  fmt::print(
      "memory of the service over {} invokes: {:.0f} KB, grown by {:.0f} KB; bar {} KB: {}\n",
      invokes, before, growth, kGrowthBarKb, Met(growth <= kGrowthBarKb));
}

void MeasureBurst(int port, const std::string& zip) {
  std::vector<double> lone;
  for (int i = 0; i < kLoneStarts; ++i) {
    const std::string name = fmt::format("lone-{}", i);
    CreateFunction(port, name, zip, 128);
    HttpLoad one(port, 1);
    lone.push_back(one.Run(RequestText("POST", InvokePath(name), kEvent), 1).front());
  }
  CreateFunction(port, "burst", zip, 128);
  HttpLoad load(port, kBurst);
  const std::string request =
      RequestText("POST", InvokePath("burst"), kEvent, "X-Amz-Log-Type: Tail\r\n");
  const auto start = std::chrono::steady_clock::now();
  const auto answers = load.RunOnce(request);
  const double ms = Since(start) / 1000;
  const auto cold = std::ranges::count_if(answers, [](const Answer& answer) {
    const std::size_t at = answer.head.find("X-Amz-Log-Result: ");
    if (at == answer.head.npos) return false;
    const std::size_t begin = at + 18;
    const auto log = Base64Decode(
        std::string_view(answer.head).substr(begin, answer.head.find("\r\n", begin) - begin));
    return log && log->contains("Init Duration");
  });
  const double cores = std::thread::hardware_concurrency();
  const double each = ms * cores / static_cast<double>(std::max<std::ptrdiff_t>(cold, 1));
  const double median = Percentile(lone, 0.5);
  fmt::print(
      "{} invokes of a cold function at once: all answered in {:.0f} ms by {} cold starts, {:.2f} "
      "ms "
      "of a core each; a lone one {:.2f} ms: {:.2f} x; bar {} x: {}\n",
      kBurst, ms, cold, each, median, each / median, kBurstBar, Met(each <= kBurstBar * median));
}

// `kelvin serve` with a state of its own.
class Service {
 public:
  Service()
      : folder_(OrDie(TemporaryDirectory::Create())),
        server_({KELVIN_BENCH_CLI, "serve", "--port", "0", "--ready-fd", "{fd}", "--state-dir",
                 Opened(folder_.path()).string()}) {}
  int port() const { return server_.port(); }
  int pid() const { return server_.pid(); }

 private:
  static const std::filesystem::path& Opened(const std::filesystem::path& folder) {
    std::filesystem::permissions(folder, std::filesystem::perms(0755));
    return folder;
  }

  TemporaryDirectory folder_;
  ServerProcess server_;
};

void Run(int invokes) {
  const std::string zip = OrDie(ReadFile(KELVIN_BENCH_HELLO));
  {
    // A fresh one: what a load had left unused in its heap would serve for the sandboxes.
    const Service service;
    CreateFunction(service.port(), "small", zip, 128);
    MeasureSandboxes(service.port(), service.pid());
  }
  const Service service;
  CreateFunction(service.port(), "hello", zip, 1769);
  MeasureRates(service.port());
  MeasureGrowth(service.port(), service.pid(), invokes);
  MeasureBurst(service.port(), zip);
}

}  // namespace
}  // namespace kelvin::bench

int main(int argc, char** argv) {
  int invokes = 100'000;
  if (argc > 1) {
    const std::string_view text = argv[1];
    std::from_chars(text.data(), text.data() + text.size(), invokes);
  }
  if (invokes < 1) {
    fmt::print(stderr, "usage: service_load_bench [INVOKES_FOR_GROWTH]\n");
    return 2;
  }
  kelvin::bench::Run(invokes);
}
