#include "cli/overhead.h"

#include <atomic>
#include <deque>
#include <mutex>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "aws/lambda_client.h"
#include "base/file.h"
#include "cli/lambda_endpoint.h"
#include "http/client.h"
#include "http/server.h"
#include "package/zip.h"
#include "sandbox/sandbox.h"
#include "service/service.h"

namespace kelvin::cli {
namespace {

namespace asio = boost::asio;

constexpr int kWarmUps = 50;
constexpr int kInvokes = 200;
constexpr std::string_view kNext = "/2018-06-01/runtime/invocation/next";

// Answers every event with "{}", until the runtime API hangs up.
void ServeEvents(const http::Endpoint& endpoint) {
  http::TcpConnector connector;
  http::Client client(connector, endpoint);
  for (;;) {
    http::Request next;
    next.method = "GET";
    next.target = kNext;
    const auto event = client.Send(next, kNoDeadline);
    if (!event || event->status != 200) return;
    http::Request answer;
    answer.method = "POST";
    answer.target = fmt::format("/2018-06-01/runtime/invocation/{}/response",
                                event->headers.Get("Lambda-Runtime-Aws-Request-Id"));
    answer.body = "{}";
    if (!client.Send(answer, kNoDeadline)) return;
  }
}

// Sandboxes whose bootstrap is a thread; it ends when its connection does.
class ThreadSandboxes final : public sandbox::Sandboxes {
 public:
  ThreadSandboxes() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~ThreadSandboxes() override {
    for (std::thread& thread : threads_) thread.join();
  }
  std::expected<std::unique_ptr<sandbox::Sandbox>, Error> Create(const sandbox::SandboxSpec& spec,
                                                                 OnExit on_exit) override {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
      return std::unexpected(ErrnoError("make a pipe", errno));
    }
    return std::make_unique<One>(*this, spec, std::move(on_exit), UniqueFd(ends[0]),
                                 UniqueFd(ends[1]));
  }
  int event_fd() const override { return event_.get(); }
  void Dispatch() override {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = ::read(event_.get(), &count, sizeof count);
    while (!exits_.empty()) {
      const OnExit on_exit = std::move(exits_.front());
      exits_.pop_front();
      on_exit({.signaled = true, .code = SIGKILL});
    }
  }
  const sandbox::Isolation& isolation() const override { return isolation_; }

 private:
  class One final : public sandbox::Sandbox {
   public:
    One(ThreadSandboxes& owner, const sandbox::SandboxSpec& spec, OnExit on_exit, UniqueFd output,
        UniqueFd writer)
        : owner_(owner),
          environment_(spec.environment),
          on_exit_(std::move(on_exit)),
          output_(std::move(output)),
          writer_(std::move(writer)) {}
    std::expected<void, Error> Start() override {
      for (const auto& [name, value] : environment_) {
        if (name != "AWS_LAMBDA_RUNTIME_API") continue;
        auto endpoint = http::ParseEndpoint(value);
        if (!endpoint) return std::unexpected(std::move(endpoint.error()));
        owner_.threads_.emplace_back(ServeEvents, *endpoint);
        return {};
      }
      return std::unexpected(Error{ErrorCode::kInternal, "expected AWS_LAMBDA_RUNTIME_API"});
    }
    std::expected<void, Error> StartExtension(const sandbox::ExtensionSpec&) override {
      return std::unexpected(Error{ErrorCode::kInternal, "expected a function without extensions"});
    }
    void Terminate() override { Kill(); }
    void Kill() override {
      if (!on_exit_) return;
      owner_.exits_.push_back(std::exchange(on_exit_, {}));
      const std::uint64_t one = 1;
      [[maybe_unused]] const ssize_t written = ::write(owner_.event_.get(), &one, sizeof one);
    }
    void Freeze() override {}
    void Thaw() override {}
    void SetCpuShare(sandbox::CpuShare) override {}
    std::uint64_t PeakMemoryBytes() override { return 0; }
    int output_fd() const override { return output_.get(); }

   private:
    ThreadSandboxes& owner_;
    std::vector<std::pair<std::string, std::string>> environment_;
    OnExit on_exit_;
    UniqueFd output_;
    UniqueFd writer_;
  };

  UniqueFd event_;
  sandbox::Isolation isolation_;
  std::deque<OnExit> exits_;
  std::vector<std::thread> threads_;
};

// A zip that the service takes; nothing in it ever runs.
std::expected<std::string, Error> EmptyPackage(const std::filesystem::path& folder) {
  const std::filesystem::path bootstrap = folder / "bootstrap";
  if (auto written = WriteFileAtomically(bootstrap, "#!/bin/false\n"); !written) {
    return std::unexpected(std::move(written.error()));
  }
  return package::MakeZip({{.name = "bootstrap", .source = bootstrap, .executable = true}});
}

std::expected<std::vector<double>, Error> Invoke(aws::LambdaClient& client, const Clock& clock,
                                                 std::string zip) {
  aws::CreateFunctionInput input;
  input.name = "overhead";
  input.zip = std::move(zip);
  if (auto created = client.CreateFunction(input); !created) {
    return std::unexpected(std::move(created.error()));
  }
  std::vector<double> times;
  for (int i = 0; i < kWarmUps + kInvokes; ++i) {
    const Clock::TimePoint start = clock.Now();
    const auto result = client.Invoke("overhead", "{}", aws::LogType::kTail);
    if (!result) return std::unexpected(result.error());
    if (i < kWarmUps) continue;
    times.push_back(std::chrono::duration<double, std::milli>(clock.Now() - start).count());
  }
  return times;
}

std::expected<std::vector<double>, Error> MeasureIn(const std::filesystem::path& state,
                                                    const Host& host) {
  std::error_code ignored;
  std::filesystem::create_directories(state, ignored);
  auto zip = EmptyPackage(state);
  if (!zip) return std::unexpected(std::move(zip.error()));
  Log log(host.clock, LogLevel::kError, host.err.write);
  ThreadSandboxes sandboxes;
  asio::io_context context{1};
  service::ServiceOptions options;
  options.state = state;
  auto service = service::Service::Create(
      context.get_executor(), {sandboxes, host.clock, host.random, log}, std::move(options));
  if (!service) return std::unexpected(std::move(service.error()));
  auto server = http::Server::Listen(
      context.get_executor(), {"127.0.0.1", 0},
      [&](http::Request request) { return (*service)->Handle(std::move(request)); }, log,
      {.max_body_bytes = service::Service::kMaxRequestBytes});
  if (!server) return std::unexpected(std::move(server.error()));
  std::thread thread([&] { context.run(); });
  std::expected<std::vector<double>, Error> times;
  const auto& at = (*server)->endpoint();
  auto lambda =
      LambdaOptions(host, Target{.endpoint_url = fmt::format("http://{}:{}", at.host, at.port)});
  if (lambda) {
    RemoteLambda remote(std::move(*lambda), host);
    times = Invoke(remote.client(), host.clock, std::move(*zip));
  } else {
    times = std::unexpected(std::move(lambda.error()));
  }
  asio::co_spawn(context, (*service)->Stop(), asio::use_future).get();
  context.stop();
  thread.join();
  server->reset();
  service->reset();  // hangs up on the sandboxes' threads
  return times;
}

}  // namespace

std::vector<double> MeasureOverhead(const std::filesystem::path& state, const Host& host) {
  return MeasureIn(state, host).value_or(std::vector<double>{});
}

}  // namespace kelvin::cli
