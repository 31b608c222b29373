#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "sandbox/sandbox.h"

namespace kelvin::sandbox {

// Sandboxes without processes: a test scripts failures and exits, and reads what was called. Used
// from one thread.
class FakeSandboxes final : public Sandboxes {
 public:
  // What is known of one sandbox; stays readable after the sandbox is destroyed.
  struct Record {
    SandboxSpec spec;
    // "start", "start NAME" of an extension, "terminate", "kill", "freeze", "thaw", "cpu full",
    // "cpu by memory", "destroy", in the order called. A Start that failed is "start".
    std::vector<std::string> calls = {};
    bool running = false;
    std::map<std::string, ExtensionSpec> extensions = {};  // that run
    bool frozen = false;
    bool alive = true;  // false once destroyed
    CpuShare share = CpuShare::kFull;
    std::uint64_t peak_memory_bytes = 1'000'000;  // what PeakMemoryBytes will answer

    int Count(std::string_view call) const {
      return static_cast<int>(std::ranges::count(calls, call));
    }
  };

  FakeSandboxes() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  // The nth Start from now on, over all sandboxes and counted from 1, fails with `error`.
  void FailStart(int nth, Error error) { start_failures_[starts_ + nth] = std::move(error); }
  // The nth Create from now on, counted from 1, fails with `error`.
  void FailCreate(int nth, Error error) { create_failures_[creates_ + nth] = std::move(error); }
  // The next StartExtension of that name fails with `error`.
  void FailExtension(std::string name, Error error) {
    extension_failures_[std::move(name)] = std::move(error);
  }
  // Runs within every Start that succeeds; for a test that plays the bootstrap's part.
  std::function<void(const std::string& id)> on_start;
  // Whether Kill makes the process exit by SIGKILL, and Terminate by SIGTERM, at the next Dispatch.
  bool dies_when_killed = true;
  bool dies_when_terminated = true;

  // The process of sandbox `id` ends; its on_exit runs in the next Dispatch. Ignored when no
  // process runs.
  void Exit(const std::string& id, ExitStatus status) {
    Record& record = records_.at(id);
    if (status.extension.empty() ? !std::exchange(record.running, false)
                                 : record.extensions.erase(status.extension) == 0) {
      return;
    }
    exits_.emplace_back(id, status);
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(event_.get(), &one, sizeof one);
  }
  // The process of sandbox `id` writes to its standard output.
  void Print(const std::string& id, std::string_view text) {
    [[maybe_unused]] const ssize_t written =
        ::write(output_writers_.at(id).get(), text.data(), text.size());
  }

  void PrintAsExtension(const std::string& id, const std::string& name, std::string_view text) {
    const int output = records_.at(id).extensions.at(name).output;
    [[maybe_unused]] const ssize_t written = ::write(output, text.data(), text.size());
  }

  // Of sandboxes alive or gone; fails the test by an exception when there never was one.
  Record& record(const std::string& id) { return records_.at(id); }
  // Every id ever created, oldest first.
  const std::vector<std::string>& ids() const { return ids_; }
  int starts() const { return starts_; }
  int creates() const { return creates_; }
  int alive() const {
    return static_cast<int>(
        std::ranges::count_if(records_, [](const auto& entry) { return entry.second.alive; }));
  }

  std::expected<std::unique_ptr<Sandbox>, Error> Create(const SandboxSpec& spec,
                                                        OnExit on_exit) override {
    if (auto failure = create_failures_.extract(++creates_)) {
      return std::unexpected(std::move(failure.mapped()));
    }
    if (const auto found = records_.find(spec.id); found != records_.end() && found->second.alive) {
      return std::unexpected(Error{ErrorCode::kAlreadyExists, "sandbox " + spec.id + " exists"});
    }
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
      return std::unexpected(ErrnoError("make a pipe", errno));
    }
    output_writers_[spec.id] = UniqueFd(ends[1]);
    records_[spec.id] = Record{.spec = spec};
    on_exits_[spec.id] = std::move(on_exit);
    ids_.push_back(spec.id);
    return std::make_unique<FakeSandbox>(*this, spec.id, UniqueFd(ends[0]));
  }
  int event_fd() const override { return event_.get(); }
  void Dispatch() override {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = ::read(event_.get(), &count, sizeof count);
    while (!exits_.empty()) {
      const auto [id, status] = std::move(exits_.front());
      exits_.pop_front();
      // A copy: the callback may destroy the sandbox.
      if (const auto found = on_exits_.find(id); found != on_exits_.end()) {
        const OnExit on_exit = found->second;
        on_exit(status);
      }
    }
  }
  const Isolation& isolation() const override { return isolation_; }
  Isolation& isolation() { return isolation_; }

 private:
  class FakeSandbox final : public Sandbox {
   public:
    FakeSandbox(FakeSandboxes& owner, std::string id, UniqueFd output)
        : owner_(owner), id_(std::move(id)), output_(std::move(output)) {}
    ~FakeSandbox() override {
      Called("destroy").alive = false;
      record().running = false;
      owner_.on_exits_.erase(id_);
      std::erase_if(owner_.exits_, [this](const auto& exit) { return exit.first == id_; });
      owner_.output_writers_.erase(id_);
    }
    std::expected<void, Error> Start() override {
      Record& started = Called("start");
      if (auto failure = owner_.start_failures_.extract(++owner_.starts_)) {
        return std::unexpected(std::move(failure.mapped()));
      }
      started.running = true;
      if (owner_.on_start) owner_.on_start(id_);
      return {};
    }
    std::expected<void, Error> StartExtension(const ExtensionSpec& extension) override {
      Record& started = Called("start " + extension.name);
      if (auto failure = owner_.extension_failures_.extract(extension.name)) {
        return std::unexpected(std::move(failure.mapped()));
      }
      started.extensions[extension.name] = extension;
      return {};
    }
    void Terminate() override {
      Called("terminate");
      if (owner_.dies_when_terminated) owner_.Exit(id_, {.signaled = true, .code = 15});
    }
    void Kill() override {
      Called("kill");
      if (!owner_.dies_when_killed) return;
      owner_.Exit(id_, {.signaled = true, .code = 9});
      for (const auto& [name, extension] : std::map(record().extensions)) {
        owner_.Exit(id_, {.signaled = true, .code = 9, .extension = name});
      }
    }
    void Freeze() override { Called("freeze").frozen = true; }
    void Thaw() override { Called("thaw").frozen = false; }
    void SetCpuShare(CpuShare share) override {
      Called(share == CpuShare::kFull ? "cpu full" : "cpu by memory").share = share;
    }
    std::uint64_t PeakMemoryBytes() override { return record().peak_memory_bytes; }
    int output_fd() const override { return output_.get(); }

   private:
    Record& record() { return owner_.records_.at(id_); }
    Record& Called(std::string_view call) {
      record().calls.emplace_back(call);
      return record();
    }

    FakeSandboxes& owner_;
    std::string id_;
    UniqueFd output_;
  };

  UniqueFd event_;
  Isolation isolation_;
  int starts_ = 0;
  int creates_ = 0;
  std::map<int, Error> start_failures_;
  std::map<int, Error> create_failures_;
  std::map<std::string, Error> extension_failures_;
  std::map<std::string, Record> records_;
  std::map<std::string, OnExit> on_exits_;
  std::map<std::string, UniqueFd> output_writers_;
  std::deque<std::pair<std::string, ExitStatus>> exits_;
  std::vector<std::string> ids_;
};

}  // namespace kelvin::sandbox
