#pragma once

#include <cstddef>
#include <deque>
#include <expected>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/api_error.h"
#include "service/environment.h"
#include "service/function_record.h"

namespace kelvin::service {

// The environments of one version of a function and the invokes that wait for one. An invoke takes
// the environment that rested last; when none rests it takes the next one that is done with its
// own, and a new one is started, unless as many as wait will be free in a moment anyway.
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
  // Keeps so many environments ready, started ahead and never ended for being idle.
  void Provision(std::size_t wanted);
  void Submit(std::shared_ptr<Invocation> invocation);
  // Ends every environment after its current invoke; what waits for one fails.
  void Close();
  // Ends every environment now.
  void Kill();

  const FunctionConfig& config() const { return *config_; }
  // Invokes that were submitted and are not over.
  std::size_t running() const { return running_; }
  bool empty() const { return environments_.empty(); }
  std::size_t size() const { return environments_.size(); }
  // Of those that were started ahead, how many have done their init.
  std::size_t provisioned_ready() const;

 private:
  using List = std::list<std::unique_ptr<Environment>>;

  void OnAvailable(Environment& environment) override;
  void OnFinished(Environment& environment) override;
  void OnIdleTooLong(Environment& environment) override;
  void OnGone(Environment& environment) override;

  enum class Settling { kCount, kIgnore };
  void StartAsNeeded(Settling settling);
  void StartProvisioned();
  bool StartOne(Initialization initialization);
  // Environments that will take an invoke soon, without anything being done.
  std::size_t Coming(Settling settling) const;
  std::size_t Provisioned() const;
  void FailWaiting(std::string_view message);

  EnvironmentParts parts_;
  const EnvironmentOptions& options_;
  Hooks hooks_;
  std::shared_ptr<const FunctionConfig> config_;
  FunctionFolders folders_;
  std::size_t provisioned_ = 0;
  List environments_;
  std::vector<Environment*> resting_;  // the one that rested last is the last
  std::deque<std::shared_ptr<Invocation>> waiting_;
  std::size_t running_ = 0;
  Timers::Id settle_timer_;
  bool closed_ = false;
  std::shared_ptr<EnvironmentPool*> self_;
};

// All pools, and the limits over them. Used from the executor's thread.
class Scheduler {
 public:
  Scheduler(const EnvironmentParts& parts, const EnvironmentOptions& options,
            int account_concurrency);  // the options outlive it
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Makes the pool of a function's version, or gives it a new configuration.
  void Configure(std::shared_ptr<const FunctionConfig> config, FunctionFolders folders);
  // Nothing leaves the function to what the account has left over.
  void SetReserved(std::string_view name, std::optional<int> concurrency);
  // Environments to have ahead, by version.
  void SetProvisioned(std::string_view name, const ByName<int>& wanted);
  void Remove(std::string_view name, std::string_view version);
  void Remove(std::string_view name);

  // Runs the invocation; its outcome will be set. Fails with kTooManyRequests over the function's
  // or the account's concurrency, kResourceNotFound for a version without a pool.
  std::expected<void, ApiError> Submit(std::string_view name, std::string_view version,
                                       std::shared_ptr<Invocation> invocation);

  // Whether an invoke of the function would be refused for its concurrency or the account's now.
  bool Throttles(std::string_view name) const;
  // `told` is called when that may have become otherwise for some function, in the middle of what
  // made it so: it does nothing at once. One is told.
  void TellOfPlaces(std::function<void()> told) { told_of_places_ = std::move(told); }

  // Refuses invokes from now on and ends all environments: in order, and, with Kill, at once.
  void Close();
  void Kill();
  bool empty() const;
  int running() const { return running_; }
  int account_concurrency() const { return account_concurrency_; }
  // What functions without a reservation have together.
  int unreserved_concurrency() const { return account_concurrency_ - reserved_; }
  // Environments of a function, of one version or of all together.
  std::size_t environments(std::string_view name) const;
  std::size_t provisioned_ready(std::string_view name, std::string_view version) const;
  // Of every version that has a pool, and of those that still end.
  std::vector<VersionGauges> Gauges() const;

 private:
  struct Function {
    std::optional<int> reserved;
    int running = 0;
    ByName<std::unique_ptr<EnvironmentPool>> pools;  // by version
  };

  EnvironmentPool* FindPool(std::string_view name, std::string_view version) const;
  std::expected<void, ApiError> Admit(const Function& function) const;
  void Retire(std::unique_ptr<EnvironmentPool> pool);
  void SayPlacesChanged() const;

  EnvironmentParts parts_;
  const EnvironmentOptions& options_;
  int account_concurrency_;
  int reserved_ = 0;            // by all functions
  int running_ = 0;             // invokes
  int running_unreserved_ = 0;  // of functions without a reservation
  bool closed_ = false;
  std::function<void()> told_of_places_;
  ByName<std::shared_ptr<Function>> functions_;
  std::list<std::unique_ptr<EnvironmentPool>> removed_;  // until their last invoke is over
};

}  // namespace kelvin::service
