#include "service/scheduler.h"

#include <algorithm>
#include <utility>

namespace kelvin::service {

Scheduler::Scheduler(const EnvironmentParts& parts, const EnvironmentOptions& options,
                     int account_concurrency)
    : parts_(parts), options_(options), account_concurrency_(account_concurrency) {}

void Scheduler::Configure(std::shared_ptr<const FunctionConfig> config, FunctionFolders folders) {
  auto& pool = pools_[config->name];
  if (!pool) {
    pool = std::make_unique<EnvironmentPool>(
        parts_, options_,
        EnvironmentPool::Hooks{
            .on_finished = [this] { --running_; },
            .on_empty =
                [this] { std::erase_if(removed_, [](const auto& it) { return it->empty(); }); }});
  }
  pool->Configure(std::move(config), std::move(folders));
}

void Scheduler::Remove(std::string_view name) {
  const auto found = pools_.find(name);
  if (found == pools_.end()) return;
  auto pool = std::move(found->second);
  pools_.erase(found);
  pool->Close();
  if (!pool->empty()) removed_.push_back(std::move(pool));
}

std::expected<void, ApiError> Scheduler::Submit(std::string_view name,
                                                std::shared_ptr<Invocation> invocation) {
  const auto found = pools_.find(name);
  if (found == pools_.end()) {
    return std::unexpected(FunctionNotFound(FunctionArn(options_.place, name)));
  }
  if (closed_) {
    return std::unexpected(ApiError{ApiErrorKind::kService, "The service is stopping."});
  }
  if (running_ >= account_concurrency_) {
    return std::unexpected(ApiError{ApiErrorKind::kTooManyRequests, "Rate Exceeded.",
                                    "ConcurrentInvocationLimitExceeded"});
  }
  ++running_;
  found->second->Submit(std::move(invocation));
  return {};
}

void Scheduler::Close() {
  closed_ = true;
  for (const auto& [name, pool] : pools_) pool->Close();
}

void Scheduler::Kill() {
  Close();
  for (const auto& [name, pool] : pools_) pool->Kill();
  for (const auto& pool : removed_) pool->Kill();
}

bool Scheduler::empty() const {
  return std::ranges::all_of(pools_, [](const auto& it) { return it.second->empty(); }) &&
         std::ranges::all_of(removed_, [](const auto& it) { return it->empty(); });
}

std::size_t Scheduler::environments(std::string_view name) const {
  const auto found = pools_.find(name);
  return found == pools_.end() ? 0 : found->second->size();
}

}  // namespace kelvin::service
