#include "service/scheduler_fixture.h"

namespace kelvin::service {

namespace asio = boost::asio;

SchedulerFixture::SchedulerFixture(int concurrency) {
  options_ = {.place = {"us-east-1", "123456789012"},
              .function_environment = {},
              .idle_timeout = std::chrono::minutes{10},
              .freeze_delay = std::chrono::milliseconds{5},
              .init_timeout = std::chrono::seconds{10},
              .function_log = [this](std::string_view, std::string_view line) {
                function_lines_.append(line).push_back('\n');
              }};
  config_.runtime = "provided.al2023";
  config_.handler = "bootstrap";
  timers_.emplace(context_.get_executor(), clock_);
  scheduler_.emplace(EnvironmentParts{.executor = context_.get_executor(),
                                      .sandboxes = sandboxes_,
                                      .listeners = listeners_,
                                      .timers = *timers_,
                                      .clock = clock_,
                                      .random = random_,
                                      .log = log_,
                                      .metrics = metrics_,
                                      .logs = logs_,
                                      .telemetry = telemetry_},
                     options_, concurrency);
}

SchedulerFixture::~SchedulerFixture() {
  scheduler_.reset();
  Poll();
}

void SchedulerFixture::Configure(std::string_view name, std::string_view description) {
  config_.name = name;
  config_.log_group = "/aws/lambda/" + std::string(name);
  config_.description = description;
  scheduler_->Configure(std::make_shared<const FunctionConfig>(config_),
                        FunctionFolders{"/code", layers_});
  Poll();
}

SchedulerFixture::Invoke SchedulerFixture::Submit(std::string_view name, LogTail tail) {
  Invoke invoke{std::make_shared<Invocation>(), std::make_shared<std::optional<InvokeOutcome>>()};
  invoke.invocation->tail = tail;
  invoke.invocation->event = std::make_shared<RuntimeEvent>();
  invoke.invocation->event->request_id = NewUuid(random_);
  invoke.invocation->event->payload = "{}";
  const auto submitted = scheduler_->Submit(name, "$LATEST", invoke.invocation);
  if (!submitted) ADD_FAILURE() << submitted.error().message;
  asio::co_spawn(
      context_,
      [](Invoke waiting) -> asio::awaitable<void> {
        *waiting.outcome = co_await waiting.invocation->outcome.Wait();
      }(invoke),
      asio::detached);
  Poll();
  return invoke;
}

SchedulerFixture::Answer SchedulerFixture::Call(std::size_t environment, std::string_view method,
                                                std::string_view path, std::string body,
                                                http::Headers headers) {
  return CallAny(environment, method, "/2018-06-01/runtime/" + std::string(path), std::move(body),
                 std::move(headers));
}

SchedulerFixture::Answer SchedulerFixture::CallAny(std::size_t environment, std::string_view method,
                                                   std::string target, std::string body,
                                                   http::Headers headers) {
  http::Request request{std::string(method), std::move(target), std::move(headers),
                        std::move(body)};
  Answer answer = std::make_shared<std::optional<http::Response>>();
  asio::co_spawn(
      context_,
      [](RuntimeApi& api, http::Request call, Answer into) -> asio::awaitable<void> {
        *into = co_await api.Handle(std::move(call));
      }(listeners_.api(environment), std::move(request), answer),
      asio::detached);
  Poll();
  return answer;
}

SchedulerFixture::Answer SchedulerFixture::Next(std::size_t environment) {
  return Call(environment, "GET", "invocation/next");
}

int SchedulerFixture::Respond(std::size_t environment, const Answer& next, std::string body) {
  const std::string id((*next)->headers.Get("Lambda-Runtime-Aws-Request-Id"));
  return (*Call(environment, "POST", "invocation/" + id + "/response", std::move(body)))->status;
}

SchedulerFixture::Answer SchedulerFixture::WarmUp() {
  Configure();
  Submit();
  Respond(0, Next(0), "{}");
  return Next(0);
}

void SchedulerFixture::Poll() {
  do {
    sandboxes_.Dispatch();
    context_.restart();
  } while (context_.poll() > 0);
}

void SchedulerFixture::Advance(std::chrono::nanoseconds time) {
  clock_.Advance(time);
  timers_->RunDue();
  Poll();
}

std::string SchedulerFixture::log() const {
  return function_lines_;
}

}  // namespace kelvin::service
