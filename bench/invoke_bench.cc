// Warm invokes through the service from one keep-alive client, in turn with the floor: two bare
// HTTP round trips over loopback through the same server, which is what an invoke cannot do
// without (caller to service, service to runtime). Then invokes after a pause, for which the
// environment has to be thawed.
//   invoke_bench [INVOKES] [ZIP]
#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "base/file.h"
#include "base/ids.h"
#include "base/log.h"
#include "http/client.h"
#include "http/server.h"
#include "sandbox/sandbox.h"
#include "service/service.h"

namespace kelvin::bench {
namespace {

namespace asio = boost::asio;

constexpr int kDefaultInvokes = 5'000;
constexpr int kWarmUps = 500;
constexpr int kPausedInvokes = 100;
constexpr std::chrono::milliseconds kPause{15};  // longer than an environment waits to be frozen
constexpr double kMedianBarMs = 0.25;
constexpr double kP99BarMs = 1.0;
constexpr std::string_view kFloorPath = "/floor";

template <typename T>
T OrExit(std::expected<T, Error> made) {
  if (made) return std::move(*made);
  fmt::print(stderr, "invoke_bench: {}\n", made.error().message);
  std::exit(1);
}

asio::awaitable<http::Reply> Floor() {
  http::Response response;
  response.status = 200;
  response.body = "{}";
  co_return response;
}

service::ServiceOptions Options(const std::filesystem::path& state) {
  service::ServiceOptions options;
  options.state = state;
  return options;
}

// The service and its server, on a thread of their own.
class Subject {
 public:
  Subject()
      : folder_(OrExit(TemporaryDirectory::Create())),
        log_(clock_, LogLevel::kWarn, StderrSink()),
        sandboxes_(OpenSandboxes(folder_.path())) {
    service_ = OrExit(service::Service::Create(
        context_.get_executor(), {*sandboxes_, clock_, random_, log_}, Options(folder_.path())));
    server_ =
        OrExit(http::Server::Listen(context_.get_executor(), {"127.0.0.1", 0},
                                    [this](http::Request request) -> asio::awaitable<http::Reply> {
                                      if (request.target == kFloorPath) return Floor();
                                      return service_->Handle(std::move(request));
                                    },
                                    log_, {.max_body_bytes = service::Service::kMaxRequestBytes}));
    thread_ = std::thread([this] { context_.run(); });
  }
  ~Subject() {
    asio::co_spawn(context_, service_->Stop(), asio::use_future).get();
    context_.stop();
    thread_.join();
    server_.reset();
    service_.reset();
  }
  const http::Endpoint& endpoint() const { return server_->endpoint(); }

 private:
  static std::unique_ptr<sandbox::Sandboxes> OpenSandboxes(const std::filesystem::path& state) {
    std::filesystem::permissions(state, std::filesystem::perms(0755));
    return OrExit(sandbox::NewHostSandboxes({.state = state}));
  }

  TemporaryDirectory folder_;
  SystemClock clock_;
  SystemRandom random_;
  Log log_;
  std::unique_ptr<sandbox::Sandboxes> sandboxes_;
  asio::io_context context_{1};
  std::unique_ptr<service::Service> service_;
  std::unique_ptr<http::Server> server_;
  std::thread thread_;
};

class Caller {
 public:
  explicit Caller(const http::Endpoint& endpoint) : client_(connector_, endpoint) {}

  // Milliseconds. The answer's status must be `status`.
  double Call(std::string_view method, std::string_view path, std::string_view body, int status) {
    const auto start = std::chrono::steady_clock::now();
    const auto sent = client_.Send({method, path, nullptr, body}, response_, kNoDeadline);
    const auto end = std::chrono::steady_clock::now();
    const bool failed =
        !sent || response_.status != status || response_.headers.Has("X-Amz-Function-Error");
    if (failed) {
      fmt::print(stderr, "invoke_bench: {} {}: {}\n", method, path,
                 sent ? response_.body : sent.error().message);
      std::exit(1);
    }
    return std::chrono::duration<double, std::milli>(end - start).count();
  }

 private:
  http::TcpConnector connector_;
  http::Client client_;
  http::Response response_;
};

double Percentile(std::vector<double> sorted, double share) {
  std::ranges::sort(sorted);
  return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}

double CpuSeconds(int who) {
  rusage usage{};
  ::getrusage(who, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Of everything in this process but the caller.
double ServiceCpuSeconds() {
  return CpuSeconds(RUSAGE_SELF) - CpuSeconds(RUSAGE_THREAD);
}

void PrintRow(std::string_view name, const std::vector<double>& samples,
              const std::vector<double>& floor) {
  fmt::print("{:<22}", name);
  for (const double share : {0.5, 0.9, 0.99}) {
    const double value = Percentile(samples, share);
    fmt::print("  {:6.3f} ms {:5.2f}x", value, value / Percentile(floor, share));
  }
  fmt::print("\n");
}

void CreateFunction(Caller& caller, const std::string& zip) {
  const boost::json::object body{{"FunctionName", "hello"},
                                 {"Runtime", "provided.al2023"},
                                 {"Role", "arn:aws:iam::123456789012:role/bench"},
                                 {"Handler", "bootstrap"},
                                 {"MemorySize", 1769},  // a whole CPU
                                 {"Code", {{"ZipFile", Base64Encode(zip)}}}};
  caller.Call("POST", "/2015-03-31/functions", boost::json::serialize(body), 201);
}

int Run(int invokes, const std::string& zip_path) {
  const std::string zip = OrExit(ReadFile(zip_path));
  Subject subject;
  Caller caller(subject.endpoint());
  CreateFunction(caller, zip);
  const auto invoke = [&] {
    return caller.Call("POST", "/2015-03-31/functions/hello/invocations", R"({"name":"Ada"})", 200);
  };
  const auto floor = [&] {
    return caller.Call("GET", kFloorPath, "", 200) + caller.Call("GET", kFloorPath, "", 200);
  };
  for (int i = 0; i < kWarmUps; ++i) invoke();
  std::vector<double> invoke_ms;
  std::vector<double> floor_ms;
  for (int i = 0; i < invokes; ++i) {
    floor_ms.push_back(floor());
    invoke_ms.push_back(invoke());
  }
  const double cpu_before = ServiceCpuSeconds();
  for (int i = 0; i < invokes; ++i) invoke();
  const double cpu_us = (ServiceCpuSeconds() - cpu_before) * 1e6 / invokes;
  std::vector<double> paused_ms;
  for (int i = 0; i < kPausedInvokes; ++i) {
    std::this_thread::sleep_for(kPause);
    paused_ms.push_back(invoke());
  }
  fmt::print("{:<22}  {:^16}  {:^16}  {:^16}\n", "", "median", "p90", "p99");
  PrintRow("two round trips", floor_ms, floor_ms);
  PrintRow("warm invoke", invoke_ms, floor_ms);
  PrintRow("invoke after a pause", paused_ms, floor_ms);
  fmt::print("the service's CPU time per warm invoke: {:.1f} us\n", cpu_us);
  const bool good =
      Percentile(invoke_ms, 0.5) <= kMedianBarMs && Percentile(invoke_ms, 0.99) <= kP99BarMs;
  fmt::print("bars: median at most {} ms, p99 at most {} ms: {}\n", kMedianBarMs, kP99BarMs,
             good ? "met" : "MISSED");
  return 0;
}

}  // namespace
}  // namespace kelvin::bench

int main(int argc, char** argv) {
  int invokes = kelvin::bench::kDefaultInvokes;
  if (argc > 1) {
    const std::string_view text = argv[1];
    std::from_chars(text.data(), text.data() + text.size(), invokes);
  }
  if (invokes < 1) {
    fmt::print(stderr, "usage: invoke_bench [INVOKES] [ZIP]\n");
    return 2;
  }
  return kelvin::bench::Run(invokes, argc > 2 ? argv[2] : KELVIN_BENCH_HELLO);
}
