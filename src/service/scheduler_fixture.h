#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "base/fake_clock.h"
#include "base/file.h"
#include "base/ids.h"
#include "base/log.h"
#include "sandbox/fake_sandboxes.h"
#include "service/scheduler.h"
#include "service/telemetry_sender.h"

namespace kelvin::service {

class CountingRandom final : public Random {
 public:
  std::uint64_t Next() override { return ++last_; }

 private:
  std::uint64_t last_ = 0;
};

// Addresses without a network; tests call the Runtime API behind one directly.
class FakeListeners final : public RuntimeListeners {
 public:
  std::expected<std::unique_ptr<RuntimeListener>, Error> Listen(RuntimeApi& api) override {
    apis_.push_back(&api);
    return std::make_unique<Listener>("127.0.0.1:" + std::to_string(9000 + apis_.size()), unread,
                                      apis_.back());
  }
  bool unread = false;
  // Of the nth environment, from 0; those whose sandbox could not be made count, too. Fails the
  // test by an exception when it is gone.
  RuntimeApi& api(std::size_t index) {
    if (apis_.at(index) == nullptr) throw std::out_of_range("that environment is gone");
    return *apis_[index];
  }

 private:
  class Listener final : public RuntimeListener {
   public:
    Listener(std::string address, const bool& unread, RuntimeApi*& api)
        : address_(std::move(address)), unread_(unread), api_(api) {}
    ~Listener() override { api_ = nullptr; }
    const std::string& address() const override { return address_; }
    bool has_unread() const override { return unread_; }

   private:
    std::string address_;
    const bool& unread_;
    RuntimeApi*& api_;
  };
  std::deque<RuntimeApi*> apis_;
};

// Takes telemetry at once, or refuses it.
class FakeTelemetrySender final : public TelemetrySender {
 public:
  struct Batch {
    TelemetryDestination destination;
    std::string body;
  };
  boost::asio::awaitable<std::expected<void, Error>> Send(
      TelemetryDestination destination, std::shared_ptr<const std::string> body) override {
    ++attempts;
    if (failures > 0) {
      --failures;
      co_return std::unexpected(Error{ErrorCode::kUnavailable, "connection refused"});
    }
    batches.push_back({std::move(destination), *body});
    if (held) co_await held->Wait();
    co_return std::expected<void, Error>();
  }
  std::vector<Batch> batches;
  int attempts = 0;
  int failures = 0;                     // the next ones fail
  std::shared_ptr<OneShot<bool>> held;  // what is sent waits for it
  std::string all() const {
    std::string text;
    for (const Batch& batch : batches) text += batch.body + "\n";
    return text;
  }
};

// A scheduler over fakes: the test plays the callers, the runtimes and the clock.
class SchedulerFixture : public ::testing::Test {
 protected:
  // A call of the Runtime API, and its answer once there is one.
  using Answer = std::shared_ptr<std::optional<http::Response>>;
  struct Invoke {
    std::shared_ptr<Invocation> invocation;
    std::shared_ptr<std::optional<InvokeOutcome>> outcome;
    bool done() const { return outcome->has_value(); }
    const InvokeOutcome& result() const { return outcome->value(); }
  };

  explicit SchedulerFixture(int concurrency = 3);
  ~SchedulerFixture() override;

  void Configure(std::string_view name = "f", std::string_view description = "");
  Invoke Submit(std::string_view name = "f", LogTail tail = LogTail::kNo);
  Answer Call(std::size_t environment, std::string_view method, std::string_view path,
              std::string body = {}, http::Headers headers = {});
  Answer Next(std::size_t environment);
  // Of any API at the environment's address; `target` is the whole path.
  Answer CallAny(std::size_t environment, std::string_view method, std::string target,
                 std::string body = {}, http::Headers headers = {});
  // For the event that `next` was answered with.
  int Respond(std::size_t environment, const Answer& next, std::string body);
  // A function "f" with an environment that has done its init and one invoke, and waits for more.
  Answer WarmUp();

  // Lets everything happen that needs no time.
  void Poll();
  void Advance(std::chrono::nanoseconds time);
  sandbox::FakeSandboxes::Record& Sandbox(std::size_t index) {
    return sandboxes_.record(sandboxes_.ids().at(index));
  }
  void Exit(std::size_t index, sandbox::ExitStatus status) {
    sandboxes_.Exit(sandboxes_.ids().at(index), status);
    Poll();
  }
  std::string log() const;

  FakeClock clock_;
  CountingRandom random_;
  Log log_{clock_, LogLevel::kInfo, [this](std::string_view line) { logged_ += line; }};
  std::string logged_;
  TemporaryDirectory folder_ = TemporaryDirectory::Create().value();
  boost::asio::io_context context_{1};
  sandbox::FakeSandboxes sandboxes_;
  FakeListeners listeners_;
  Metrics metrics_{clock_};
  std::unique_ptr<LogStore> log_store_ = LogStore::Open(folder_.path(), clock_).value();
  FunctionLogs logs_{*log_store_};
  FakeTelemetrySender telemetry_;
  std::filesystem::path layers_;  // of what Configure configures
  EnvironmentOptions options_;
  FunctionConfig config_;
  std::string function_lines_;
  std::optional<Timers> timers_;
  std::optional<Scheduler> scheduler_;
};

}  // namespace kelvin::service
