#include "service/service.h"

#include <utility>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "service/alias_api.h"
#include "service/concurrency_api.h"
#include "service/control.h"
#include "service/event_invoke_api.h"
#include "service/event_queue.h"
#include "service/function_api.h"
#include "service/function_registry.h"
#include "service/function_store.h"
#include "service/invoke_api.h"
#include "service/layer_api.h"
#include "service/logs_api.h"
#include "service/metrics.h"
#include "service/policy_api.h"
#include "service/runtime_listener.h"
#include "service/scheduler.h"
#include "service/settings_api.h"
#include "service/tag_api.h"
#include "service/telemetry_sender.h"
#include "service/timers.h"
#include "service/url_api.h"
#include "service/url_invoke.h"
#include "service/version_api.h"

namespace kelvin::service {

namespace asio = boost::asio;
using asio::awaitable;

namespace {

// Of Stop: then busy environments are killed. Extensions have two seconds to end.
constexpr std::chrono::milliseconds kStopGrace{2200};
// Then what the kernel has not ended yet is left to the sandboxes' own destruction.
constexpr std::chrono::milliseconds kStopLimit{5000};
constexpr std::chrono::milliseconds kStopStep{5};

EnvironmentOptions EnvironmentOptionsOf(const ServiceOptions& options) {
  return {.place = {options.region, options.account_id},
          .function_environment = options.function_environment,
          .runtimes = options.runtimes,
          .idle_timeout = options.idle_timeout,
          .freeze_delay = options.freeze_delay,
          .init_timeout = options.init_timeout,
          .function_log = options.function_log};
}

}  // namespace

class Service::Impl {
 public:
  Impl(const asio::any_io_executor& executor, const ServiceParts& parts,
       const ServiceOptions& options, FunctionStore store, std::unique_ptr<LogStore> logs);
  ~Impl();

  // Takes up what the store holds.
  std::expected<void, Error> Load();
  awaitable<http::Reply> Handle(http::Request request);
  awaitable<void> Stop();

 private:
  awaitable<http::Reply> Dispatch(http::Request request, const std::string& request_id);
  http::Response Unknown(std::string_view call);
  std::optional<http::Response> AnswerMetrics(const http::Request& request) const;
  void WatchSandboxes();

  ServiceParts parts_;
  asio::any_io_executor executor_;
  FunctionStore store_;
  std::unique_ptr<LogStore> log_store_;
  FunctionLogs logs_;
  EnvironmentOptions environment_options_;
  asio::thread_pool workers_{1};  // the store wants one call at a time
  Timers timers_;
  std::unique_ptr<RuntimeListeners> listeners_;
  Metrics metrics_;
  std::unique_ptr<TelemetrySender> telemetry_;
  FunctionRegistry registry_;
  Scheduler scheduler_;
  EventQueue events_;
  LayerRegistry layers_;
  ControlParts control_;
  LayerApi layer_api_;
  InvokeApi invoke_api_;
  FunctionUrls urls_;
  LogsApi logs_api_;
  Operations operations_;
  asio::posix::stream_descriptor sandbox_events_;
  std::shared_ptr<Impl*> self_;
};

Service::Impl::Impl(const asio::any_io_executor& executor, const ServiceParts& parts,
                    const ServiceOptions& options, FunctionStore store,
                    std::unique_ptr<LogStore> logs)
    : parts_(parts),
      executor_(executor),
      store_(std::move(store)),
      log_store_(std::move(logs)),
      logs_(*log_store_),
      environment_options_(EnvironmentOptionsOf(options)),
      timers_(executor, parts.clock),
      listeners_(NewTcpListeners(executor, parts.log)),
      metrics_(parts.clock),
      telemetry_(NewLoopbackSender()),
      scheduler_({.executor = executor,
                  .sandboxes = parts.sandboxes,
                  .listeners = *listeners_,
                  .timers = timers_,
                  .clock = parts.clock,
                  .random = parts.random,
                  .log = parts.log,
                  .metrics = metrics_,
                  .logs = logs_,
                  .telemetry = *telemetry_},
                 environment_options_, options.account_concurrency),
      events_({.executor = executor,
               .store = store_,
               .workers = workers_,
               .registry = registry_,
               .scheduler = scheduler_,
               .timers = timers_,
               .clock = parts.clock,
               .random = parts.random,
               .log = parts.log,
               .place = environment_options_.place},
              options.event_retry_delays),
      control_{.registry = registry_,
               .layers = layers_,
               .store = store_,
               .workers = workers_,
               .scheduler = scheduler_,
               .clock = parts.clock,
               .random = parts.random,
               .log = parts.log,
               .place = environment_options_.place,
               .runtimes = environment_options_.runtimes,
               .host = HostMachine(),
               .url = options.url},
      layer_api_({.layers = layers_,
                  .store = store_,
                  .workers = workers_,
                  .clock = parts.clock,
                  .log = parts.log,
                  .place = environment_options_.place}),
      invoke_api_({.registry = registry_,
                   .scheduler = scheduler_,
                   .events = events_,
                   .clock = parts.clock,
                   .random = parts.random,
                   .place = environment_options_.place}),
      urls_({.registry = registry_,
             .scheduler = scheduler_,
             .clock = parts.clock,
             .random = parts.random,
             .place = environment_options_.place}),
      logs_api_({.logs = logs_,
                 .clock = parts.clock,
                 .log = parts.log,
                 .place = environment_options_.place}),
      sandbox_events_(executor, parts.sandboxes.event_fd()),
      self_(std::make_shared<Impl*>(this)) {
  AddFunctionCalls(operations_, control_);
  AddVersionCalls(operations_, control_);
  AddAliasCalls(operations_, control_);
  AddConcurrencyCalls(operations_, control_);
  AddUrlCalls(operations_, control_);
  AddEventInvokeCalls(operations_, control_);
  AddTagCalls(operations_, control_);
  AddPolicyCalls(operations_, control_);
  AddSettingsCalls(operations_, control_);
  layer_api_.AddTo(operations_);
  invoke_api_.AddTo(operations_);
  WatchSandboxes();
}

Service::Impl::~Impl() {
  sandbox_events_.release();
  workers_.join();
}

void Service::Impl::WatchSandboxes() {
  sandbox_events_.async_wait(asio::posix::stream_descriptor::wait_read,
                             [weak = std::weak_ptr(self_)](const boost::system::error_code& error) {
                               const auto self = weak.lock();
                               if (error || !self) return;
                               (*self)->parts_.sandboxes.Dispatch();
                               (*self)->WatchSandboxes();
                             });
}

std::expected<void, Error> Service::Impl::Load() {
  for (Layer& layer : std::exchange(store_.layers, {})) layers_.Put(std::move(layer));
  for (FunctionRecord& record : std::exchange(store_.functions, {})) {
    auto unpacked = store_.EnsureUnpacked(record.latest);
    for (const auto& [number, config] : record.versions) {
      if (unpacked) unpacked = store_.EnsureUnpacked(config);
    }
    if (!unpacked) return unpacked;
    if (auto known = CheckRuntime(environment_options_.runtimes, record.latest.runtime); !known) {
      parts_.log.Write(LogLevel::kWarn, "service", "function {} cannot run: {}", record.name(),
                       known.error().message);
    }
    const auto shared = std::make_shared<const FunctionRecord>(std::move(record));
    registry_.Put(shared);
    Schedule(scheduler_, store_, nullptr, *shared);
  }
  for (StoredEvent& event : std::exchange(store_.events, {})) events_.Resume(std::move(event));
  return {};
}

awaitable<http::Reply> Service::Impl::Handle(http::Request request) {
  const std::string request_id = NewUuid(parts_.random);
  http::Reply reply = co_await Dispatch(std::move(request), request_id);
  reply.response.headers.Add("x-amzn-RequestId", request_id);
  co_return reply;
}

http::Response Service::Impl::Unknown(std::string_view call) {
  parts_.log.Write(LogLevel::kWarn, "service", "no such call of the Lambda API here: {}", call);
  return ErrorResponse(
      {ApiErrorKind::kUnknownOperation, fmt::format("Unknown operation: {}", call)});
}

std::optional<http::Response> Service::Impl::AnswerMetrics(const http::Request& request) const {
  if (request.method != "GET" || request.target != "/metrics") {
    return metrics_.AnswerAboutVersion(request);
  }
  return http::Response{.status = 200,
                        .headers = {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}},
                        .body = metrics_.Render(
                            {.versions = scheduler_.Gauges(), .queued_events = events_.depths()})};
}

awaitable<http::Reply> Service::Impl::Dispatch(http::Request request,
                                               const std::string& request_id) {
  if (auto address = FunctionUrls::AddressOf(request)) {
    co_return co_await urls_.Handle(std::move(*address), std::move(request), request_id);
  }
  if (LogsApi::Accepts(request)) co_return co_await logs_api_.Handle(std::move(request));
  if (auto figures = AnswerMetrics(request)) co_return http::Reply(std::move(*figures));
  auto route = FindRoute(request.method, request.target);
  if (!route) co_return Unknown(fmt::format("{} {}", request.method, request.target));
  const auto operation = operations_.find(route->operation);
  if (operation == operations_.end()) co_return Unknown(route->operation);
  ApiCall call{std::move(*route), std::move(request), request_id};
  co_return co_await operation->second(std::move(call));
}

awaitable<void> Service::Impl::Stop() {
  events_.Stop();
  scheduler_.Close();
  const auto start = parts_.clock.Now();
  bool killed = false;
  asio::steady_timer step(executor_);
  while (!scheduler_.empty() || !events_.idle()) {
    const auto waited = parts_.clock.Now() - start;
    if (waited >= kStopLimit) {
      parts_.log.Write(LogLevel::kWarn, "service", "an environment does not end; it is abandoned");
      break;
    }
    if (!killed && waited >= kStopGrace) {
      scheduler_.Kill();
      killed = true;
    }
    step.expires_after(kStopStep);
    co_await step.async_wait(asio::use_awaitable);
  }
}

Service::Service(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Service::~Service() = default;

std::expected<std::unique_ptr<Service>, Error> Service::Create(
    const asio::any_io_executor& executor, const ServiceParts& parts, ServiceOptions options) {
  auto store = FunctionStore::Open(options.state);
  if (!store) return std::unexpected(std::move(store.error()));
  auto logs = LogStore::Open(store->logs_folder() / "groups", parts.clock);
  if (!logs) return std::unexpected(std::move(logs.error()));
  auto impl = std::make_unique<Impl>(executor, parts, options, std::move(*store), std::move(*logs));
  auto loaded = impl->Load();
  if (!loaded) return std::unexpected(std::move(loaded.error()));
  return std::unique_ptr<Service>(new Service(std::move(impl)));
}

bool Service::IsForLogs(const http::Request& request) {
  return LogsApi::Accepts(request);
}

bool Service::IsForFunctionUrl(const http::Request& request) {
  return FunctionUrls::AddressOf(request).has_value();
}

http::Response Service::TooLarge(const http::Request& head) {
  const auto route = FindRoute(head.method, head.target);
  std::string_view operation = route ? route->operation : "CreateFunction";
  const bool invoke = operation == "Invoke";
  if (invoke) operation = "InvokeFunction";
  ApiError error{ApiErrorKind::kRequestTooLarge, {}};
  error.message = fmt::format("Request must be smaller than {} bytes for the {} operation",
                              invoke ? kMaxInvokeBytes : kMaxRequestBytes, operation);
  return ErrorResponse(error);
}

awaitable<http::Reply> Service::Handle(http::Request request) {
  return impl_->Handle(std::move(request));
}

awaitable<void> Service::Stop() {
  return impl_->Stop();
}

}  // namespace kelvin::service
