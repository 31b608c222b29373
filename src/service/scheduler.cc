#include "service/scheduler.h"

#include <algorithm>
#include <utility>

namespace kelvin::service {

Scheduler::Scheduler(const EnvironmentParts& parts, const EnvironmentOptions& options,
                     int account_concurrency)
    : parts_(parts), options_(options), account_concurrency_(account_concurrency) {}

Scheduler::~Scheduler() {
  // What a pool does at the end of an invoke holds its function, which holds the pool.
  for (auto& [name, function] : functions_) function->pools.clear();
}

void Scheduler::Configure(std::shared_ptr<const FunctionConfig> config, FunctionFolders folders) {
  auto& function = functions_[config->name];
  if (!function) function = std::make_shared<Function>();
  auto& pool = function->pools[config->version];
  if (!pool) {
    pool = std::make_unique<EnvironmentPool>(
        parts_, options_,
        EnvironmentPool::Hooks{
            // The function may have been removed by then, or have got a reservation.
            .on_finished =
                [this, function] {
                  --running_;
                  --function->running;
                  if (!function->reserved) --running_unreserved_;
                  SayPlacesChanged();
                },
            .on_empty =
                [this] { std::erase_if(removed_, [](const auto& it) { return it->empty(); }); }});
  }
  pool->Configure(std::move(config), std::move(folders));
}

void Scheduler::SetReserved(std::string_view name, std::optional<int> concurrency) {
  const auto found = functions_.find(name);
  if (found == functions_.end()) return;
  Function& function = *found->second;
  if (!function.reserved) running_unreserved_ -= function.running;
  reserved_ += concurrency.value_or(0) - function.reserved.value_or(0);
  function.reserved = concurrency;
  if (!function.reserved) running_unreserved_ += function.running;
  SayPlacesChanged();
}

void Scheduler::SayPlacesChanged() const {
  if (told_of_places_) told_of_places_();
}

void Scheduler::SetProvisioned(std::string_view name, const ByName<int>& wanted) {
  const auto found = functions_.find(name);
  if (found == functions_.end()) return;
  for (const auto& [version, pool] : found->second->pools) {
    const auto count = wanted.find(version);
    pool->Provision(count == wanted.end() ? 0 : static_cast<std::size_t>(count->second));
  }
}

void Scheduler::Retire(std::unique_ptr<EnvironmentPool> pool) {
  pool->Close();
  if (!pool->empty()) removed_.push_back(std::move(pool));
}

void Scheduler::Remove(std::string_view name, std::string_view version) {
  const auto found = functions_.find(name);
  if (found == functions_.end()) return;
  const auto pool = found->second->pools.find(version);
  if (pool == found->second->pools.end()) return;
  auto removed = std::move(pool->second);
  found->second->pools.erase(pool);
  Retire(std::move(removed));
}

void Scheduler::Remove(std::string_view name) {
  parts_.metrics.Forget(name);
  SetReserved(name, std::nullopt);
  const auto found = functions_.find(name);
  if (found == functions_.end()) return;
  const auto function = found->second;
  functions_.erase(found);
  for (auto& [version, pool] : std::exchange(function->pools, {})) Retire(std::move(pool));
  SayPlacesChanged();
}

std::expected<void, ApiError> Scheduler::Admit(const Function& function) const {
  const auto refuse = [](std::string_view reason) {
    return std::unexpected(
        ApiError{ApiErrorKind::kTooManyRequests, "Rate Exceeded.", std::string(reason)});
  };
  if (function.reserved) {
    if (function.running < *function.reserved) return {};
    return refuse("ReservedFunctionConcurrentInvocationLimitExceeded");
  }
  if (running_unreserved_ < unreserved_concurrency()) return {};
  return refuse("ConcurrentInvocationLimitExceeded");
}

bool Scheduler::Throttles(std::string_view name) const {
  const auto found = functions_.find(name);
  return found != functions_.end() && !Admit(*found->second);
}

EnvironmentPool* Scheduler::FindPool(std::string_view name, std::string_view version) const {
  const auto found = functions_.find(name);
  if (found == functions_.end()) return nullptr;
  const auto pool = found->second->pools.find(version);
  return pool == found->second->pools.end() ? nullptr : pool->second.get();
}

std::expected<void, ApiError> Scheduler::Submit(std::string_view name, std::string_view version,
                                                std::shared_ptr<Invocation> invocation) {
  EnvironmentPool* const pool = FindPool(name, version);
  if (pool == nullptr) {
    return std::unexpected(FunctionNotFound(FunctionArn(options_.place, name, version)));
  }
  if (closed_) {
    return std::unexpected(ApiError{ApiErrorKind::kService, "The service is stopping."});
  }
  Function& function = *functions_.find(name)->second;
  if (auto admitted = Admit(function); !admitted) {
    parts_.metrics.CountThrottle(name, version);
    return admitted;
  }
  ++running_;
  ++function.running;
  if (!function.reserved) ++running_unreserved_;
  pool->Submit(std::move(invocation));
  return {};
}

void Scheduler::Close() {
  closed_ = true;
  for (const auto& [name, function] : functions_) {
    for (const auto& [version, pool] : function->pools) pool->Close();
  }
}

void Scheduler::Kill() {
  Close();
  for (const auto& [name, function] : functions_) {
    for (const auto& [version, pool] : function->pools) pool->Kill();
  }
  for (const auto& pool : removed_) pool->Kill();
}

bool Scheduler::empty() const {
  const auto is_empty = [](const auto& it) { return it.second->empty(); };
  return std::ranges::all_of(
             functions_,
             [&](const auto& it) { return std::ranges::all_of(it.second->pools, is_empty); }) &&
         std::ranges::all_of(removed_, [](const auto& it) { return it->empty(); });
}

std::size_t Scheduler::environments(std::string_view name) const {
  const auto found = functions_.find(name);
  if (found == functions_.end()) return 0;
  std::size_t count = 0;
  for (const auto& [version, pool] : found->second->pools) count += pool->size();
  return count;
}

std::vector<VersionGauges> Scheduler::Gauges() const {
  std::map<std::pair<std::string, std::string>, VersionGauges> sums;
  const auto add = [&](const EnvironmentPool& pool) {
    const FunctionConfig& config = pool.config();
    VersionGauges& sum = sums[{config.name, config.version}];
    sum.function = config.name;
    sum.version = config.version;
    sum.running += pool.running();
    sum.environments += pool.size();
  };
  for (const auto& [name, function] : functions_) {
    for (const auto& [version, pool] : function->pools) add(*pool);
  }
  for (const auto& pool : removed_) add(*pool);
  std::vector<VersionGauges> gauges;
  for (auto& [key, sum] : sums) gauges.push_back(std::move(sum));
  return gauges;
}

std::size_t Scheduler::provisioned_ready(std::string_view name, std::string_view version) const {
  const EnvironmentPool* const pool = FindPool(name, version);
  return pool == nullptr ? 0 : pool->provisioned_ready();
}

}  // namespace kelvin::service
