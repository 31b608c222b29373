#pragma once

#include <cstddef>
#include <deque>
#include <expected>
#include <filesystem>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "service/api_error.h"
#include "service/environment.h"

namespace kelvin::service {

// The environments of one function and the invokes that wait for one. An invoke takes the
// environment that rested last; when none rests it takes the next one that is done with its own,
// and a new one is started, unless as many as wait will be free in a moment anyway.
class EnvironmentPool final : private Environment::Owner {
 public:
  struct Hooks {
    // An invoke that was submitted is over.
    std::function<void()> on_finished;
    // The last environment of a pool that was closed is gone.
    std::function<void()> on_empty;
  };

  EnvironmentPool(const EnvironmentParts& parts, const EnvironmentOptions& options, Hooks hooks);
  EnvironmentPool(const EnvironmentPool&) = delete;
  EnvironmentPool& operator=(const EnvironmentPool&) = delete;
  ~EnvironmentPool() override;  // fails what waits, kills what runs

  // From now on invokes run by this configuration; environments of an older one end after their
  // current invoke.
  void Configure(std::shared_ptr<const FunctionConfig> config, FunctionFolders folders);
  void Submit(std::shared_ptr<Invocation> invocation);
  // Ends every environment after its current invoke; what waits for one fails.
  void Close();
  // Ends every environment now.
  void Kill();

  bool empty() const { return environments_.empty(); }
  std::size_t size() const { return environments_.size(); }

 private:
  using List = std::list<std::unique_ptr<Environment>>;

  void OnAvailable(Environment& environment) override;
  void OnFinished(Environment& environment) override;
  void OnIdleTooLong(Environment& environment) override;
  void OnGone(Environment& environment) override;

  enum class Settling { kCount, kIgnore };
  void StartAsNeeded(Settling settling);
  bool StartOne();
  // Environments that will take an invoke soon, without anything being done.
  std::size_t Coming(Settling settling) const;
  void FailWaiting(std::string_view message);

  EnvironmentParts parts_;
  const EnvironmentOptions& options_;
  Hooks hooks_;
  std::shared_ptr<const FunctionConfig> config_;
  FunctionFolders folders_;
  List environments_;
  std::vector<Environment*> resting_;  // the one that rested last is the last
  std::deque<std::shared_ptr<Invocation>> waiting_;
  Timers::Id settle_timer_;
  bool closed_ = false;
  std::shared_ptr<EnvironmentPool*> self_;
};

// All pools, and the limit over them. Used from the executor's thread.
class Scheduler {
 public:
  Scheduler(const EnvironmentParts& parts, const EnvironmentOptions& options,
            int account_concurrency);  // the options outlive it
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Makes the function's pool, or gives it a new configuration.
  void Configure(std::shared_ptr<const FunctionConfig> config, FunctionFolders folders);
  void Remove(std::string_view name);

  // Runs the invocation; its outcome will be set. Fails with kTooManyRequests over the account's
  // concurrency, kResourceNotFound for a function without a pool.
  std::expected<void, ApiError> Submit(std::string_view name,
                                       std::shared_ptr<Invocation> invocation);

  // Refuses invokes from now on and ends all environments: in order, and, with Kill, at once.
  void Close();
  void Kill();
  bool empty() const;
  int running() const { return running_; }
  // Environments of a function, for tests and reports.
  std::size_t environments(std::string_view name) const;

 private:
  EnvironmentParts parts_;
  const EnvironmentOptions& options_;
  int account_concurrency_;
  int running_ = 0;
  bool closed_ = false;
  std::map<std::string, std::unique_ptr<EnvironmentPool>, std::less<>> pools_;
  std::list<std::unique_ptr<EnvironmentPool>> removed_;  // until their last invoke is over
};

}  // namespace kelvin::service
