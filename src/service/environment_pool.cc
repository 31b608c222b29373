#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "service/scheduler.h"

namespace kelvin::service {
namespace {

// How long an invoke waits for an environment that has answered and not yet asked for more, before
// another is started after all: a runtime with little memory, so with a small share of a CPU, may
// have to wait for its next share several times in between.
constexpr std::chrono::milliseconds kSettleTime{100};

}  // namespace

EnvironmentPool::EnvironmentPool(const EnvironmentParts& parts, const EnvironmentOptions& options,
                                 Hooks hooks)
    : parts_(parts),
      options_(options),
      hooks_(std::move(hooks)),
      self_(std::make_shared<EnvironmentPool*>(this)) {}

EnvironmentPool::~EnvironmentPool() {
  parts_.timers.Cancel(settle_timer_);
  FailWaiting("The service is stopping.");
}

void EnvironmentPool::Configure(std::shared_ptr<const FunctionConfig> config,
                                FunctionFolders folders) {
  config_ = std::move(config);
  folders_ = std::move(folders);
  resting_.clear();
  // Ending one takes it out of the list only later, so the list may be walked.
  for (const auto& environment : environments_) environment->Retire();
  StartAsNeeded(Settling::kCount);
  StartProvisioned();
}

void EnvironmentPool::Provision(std::size_t wanted) {
  provisioned_ = wanted;
  StartProvisioned();
  std::size_t surplus = Provisioned() - std::min(Provisioned(), wanted);
  const std::vector<Environment*> resting = resting_;
  for (Environment* environment : resting) {
    if (surplus == 0) return;
    if (environment->initialization() != Initialization::kProvisioned) continue;
    --surplus;
    OnIdleTooLong(*environment);
  }
}

std::size_t EnvironmentPool::Provisioned() const {
  return static_cast<std::size_t>(std::ranges::count_if(environments_, [&](const auto& it) {
    return it->initialization() == Initialization::kProvisioned && it->config() == config_ &&
           !it->retiring();
  }));
}

std::size_t EnvironmentPool::provisioned_ready() const {
  return static_cast<std::size_t>(std::ranges::count_if(environments_, [&](const auto& it) {
    return it->initialization() == Initialization::kProvisioned && it->config() == config_ &&
           it->is_initialized();
  }));
}

void EnvironmentPool::StartProvisioned() {
  if (closed_ || !config_) return;
  for (std::size_t count = Provisioned(); count < provisioned_; ++count) {
    if (!StartOne(Initialization::kProvisioned)) return;
  }
}

void EnvironmentPool::Submit(std::shared_ptr<Invocation> invocation) {
  ++running_;
  if (!resting_.empty()) {
    Environment* const environment = resting_.back();
    resting_.pop_back();
    environment->Run(std::move(invocation));
    return;
  }
  waiting_.push_back(std::move(invocation));
  StartAsNeeded(Settling::kCount);
}

void EnvironmentPool::StartAsNeeded(Settling settling) {
  for (std::size_t coming = Coming(settling); coming < waiting_.size(); ++coming) {
    if (!StartOne(Initialization::kOnDemand)) return;
  }
  const bool relies_on_settling =
      settling == Settling::kCount && Coming(Settling::kIgnore) < waiting_.size();
  if (!relies_on_settling || settle_timer_.number != 0) return;
  settle_timer_ = parts_.timers.After(kSettleTime, [this] {
    settle_timer_ = {};
    StartAsNeeded(Settling::kIgnore);
  });
}

std::size_t EnvironmentPool::Coming(Settling settling) const {
  return static_cast<std::size_t>(std::ranges::count_if(environments_, [&](const auto& it) {
    const auto state = it->state();
    if (it->config() != config_) return false;
    return state == Environment::State::kInit || state == Environment::State::kResetting ||
           (state == Environment::State::kSettling && settling == Settling::kCount);
  }));
}

bool EnvironmentPool::StartOne(Initialization initialization) {
  auto made = Environment::Create(parts_, options_, {config_, folders_, initialization}, *this);
  if (!made) {
    parts_.log.Write(LogLevel::kError, "service", "cannot make an environment for {}: {}",
                     config_->name, made.error().message);
    // What waits may still be served by an environment that is busy; without one it never is.
    if (environments_.empty()) FailWaiting(made.error().message);
    return false;
  }
  environments_.push_back(std::move(*made));
  environments_.back()->Begin();
  return true;
}

void EnvironmentPool::OnAvailable(Environment& environment) {
  if (closed_ || environment.config() != config_) return environment.Retire();
  if (waiting_.empty()) {
    resting_.push_back(&environment);
    return environment.Rest();
  }
  auto next = std::move(waiting_.front());
  waiting_.pop_front();
  environment.Run(std::move(next));
}

void EnvironmentPool::OnFinished(Environment&) {
  --running_;
  hooks_.on_finished();
}

void EnvironmentPool::OnIdleTooLong(Environment& environment) {
  const bool needed =
      environment.initialization() == Initialization::kProvisioned && Provisioned() <= provisioned_;
  if (needed) return;
  std::erase(resting_, &environment);
  environment.Retire();
}

void EnvironmentPool::OnGone(Environment& environment) {
  std::erase(resting_, &environment);
  // Later: the environment is still in the middle of saying so.
  boost::asio::post(parts_.executor, [weak = std::weak_ptr(self_), gone = &environment] {
    const auto self = weak.lock();
    if (!self) return;
    EnvironmentPool& pool = **self;
    std::erase_if(pool.environments_, [&](const auto& it) { return it.get() == gone; });
    if (!pool.closed_) {
      pool.StartAsNeeded(Settling::kCount);
      pool.StartProvisioned();
    } else if (pool.environments_.empty()) {
      const auto on_empty = pool.hooks_.on_empty;  // a copy: it may destroy the pool
      on_empty();
    }
  });
}

void EnvironmentPool::Close() {
  closed_ = true;
  resting_.clear();
  FailWaiting("The function was deleted, or the service is stopping.");
  for (const auto& environment : environments_) environment->Retire();
}

void EnvironmentPool::Kill() {
  Close();
  for (const auto& environment : environments_) environment->Kill();
}

void EnvironmentPool::FailWaiting(std::string_view message) {
  for (const auto& invocation : std::exchange(waiting_, {})) {
    if (invocation->pipe) invocation->pipe->Finish();
    invocation->outcome.Set(
        {.kind = InvokeOutcome::Kind::kServiceError, .payload = std::string(message)});
    --running_;
    hooks_.on_finished();
  }
}

}  // namespace kelvin::service
