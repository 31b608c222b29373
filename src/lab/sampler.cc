#include "lab/sampler.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/time_format.h"
#include "lab/report_line.h"

namespace kelvin::lab {
namespace {

constexpr std::string_view kStampVariable = "KELVIN_COLD_START";

bool WorthAnotherTry(const Error& error) {
  // kAlreadyExists is Lambda's ResourceConflictException: an update is still being carried out.
  return error.code == ErrorCode::kThrottled || error.code == ErrorCode::kUnavailable ||
         error.code == ErrorCode::kAlreadyExists;
}

// The errorType of a failure's payload, or what Lambda calls the failure.
std::string FailureType(const aws::InvokeResult& result) {
  boost::system::error_code error;
  const boost::json::value payload = boost::json::parse(result.payload, error);
  if (!error && payload.is_object()) {
    const boost::json::value* type = payload.get_object().if_contains("errorType");
    if (type != nullptr && type->is_string() && !type->get_string().empty()) {
      return std::string(type->get_string());
    }
  }
  return result.function_error;
}

double Milliseconds(Clock::TimePoint::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

void Reject(Sample& sample, std::string reason) {
  sample.outcome = Outcome::kRejected;
  sample.reason = std::move(reason);
}

}  // namespace

Sampler::Sampler(aws::LambdaClient& client, const Clock& clock, SamplerOptions options)
    : client_(client), clock_(clock), options_(options) {}

Sampler::~Sampler() {
  (void)Restore();
}

template <typename Call>
auto Sampler::Retrying(Call call) -> decltype(call()) {
  auto wait = options_.first_retry;
  for (int attempt = 1;; ++attempt) {
    auto result = call();
    if (result || attempt == options_.attempts || !WorthAnotherTry(result.error())) return result;
    clock_.SleepFor(wait);
    wait *= 2;
  }
}

std::expected<aws::FunctionConfiguration, Error> Sampler::WaitUntilReady(
    std::string_view function) {
  const Clock::TimePoint deadline = clock_.Now() + options_.ready_timeout;
  auto poll = options_.first_poll;
  for (;;) {
    auto configuration = Retrying([&] { return client_.GetFunction(function); });
    if (!configuration) return configuration;
    if (configuration->state == "Failed" || configuration->last_update_status == "Failed") {
      return std::unexpected(
          Error{ErrorCode::kInvalidArgument,
                fmt::format("expected function {} to become ready, Lambda says: {}", function,
                            configuration->state_reason.empty() ? "its last update failed"
                                                                : configuration->state_reason)});
    }
    // A function that Lambda put to rest is woken by an invoke, which needs no update to finish.
    const bool usable = configuration->state == "Active" || configuration->state == "Inactive";
    if (usable && configuration->last_update_status != "InProgress") return configuration;
    if (clock_.Now() >= deadline) {
      return std::unexpected(Error{
          ErrorCode::kTimeout,
          fmt::format(
              "expected function {} to become Active within {} s, it is {} with its "
              "last update {}; try again when it has settled",
              function,
              std::chrono::duration_cast<std::chrono::seconds>(options_.ready_timeout).count(),
              configuration->state, configuration->last_update_status)});
    }
    clock_.SleepFor(poll);
    poll = std::min(poll * 2, options_.last_poll);
  }
}

std::expected<aws::FunctionConfiguration, Error> Sampler::Open(std::string_view function) {
  auto configuration = WaitUntilReady(function);
  if (!configuration) return configuration;
  // A run that was killed left it; taking it out again is part of leaving the function as it was.
  const bool left_over = configuration->environment.erase(std::string(kStampVariable)) > 0;
  State& state = states_[std::string(function)];
  state.environment = configuration->environment;
  state.stamped = left_over;
  return configuration;
}

std::expected<void, Error> Sampler::Stamp(const std::string& function, State& state) {
  aws::UpdateConfigurationInput input;
  input.environment = state.environment;
  // The time makes a stamp differ from one that an earlier run left.
  (*input.environment)[std::string(kStampVariable)] =
      fmt::format("{} {}", FormatIso8601(clock_.WallNow()), ++stamps_);
  state.stamped = true;
  state.invokes = 0;
  auto updated = Retrying([&] { return client_.UpdateConfiguration(function, input); });
  if (!updated) return std::unexpected(std::move(updated.error()));
  auto ready = WaitUntilReady(function);
  if (!ready) return std::unexpected(std::move(ready.error()));
  return {};
}

std::expected<Sample, Error> Sampler::TakeCold(const std::string& function,
                                               std::string_view payload) {
  if (auto stamped = Stamp(function, states_[function]); !stamped) {
    return std::unexpected(std::move(stamped.error()));
  }
  return Take(function, payload, Start::kMustBeCold);
}

std::expected<Sample, Error> Sampler::TakeWarm(const std::string& function,
                                               std::string_view payload) {
  return Take(function, payload, Start::kMustBeWarm);
}

std::expected<Sample, Error> Sampler::TakeWarmUp(const std::string& function,
                                                 std::string_view payload) {
  return Take(function, payload, Start::kMayBeCold);
}

std::expected<Sample, Error> Sampler::Take(const std::string& function, std::string_view payload,
                                           Start start) {
  State& state = states_[function];
  Sample sample;
  Clock::TimePoint sent;
  auto result = Retrying([&] {
    sample.started = FormatIso8601(clock_.WallNow());
    sent = clock_.Now();
    return client_.Invoke(function, payload, aws::LogType::kTail);
  });
  sample.client_ms = Milliseconds(clock_.Now() - sent);
  if (!result) return std::unexpected(std::move(result.error()));
  sample.request_id = result->request_id;

  auto report = FindReport(result->log_tail, result->request_id);
  if (report) {
    sample.init_ms = report->init_ms;
    sample.duration_ms = report->duration_ms;
    sample.billed_ms = report->billed_ms;
    sample.max_memory_mb = report->max_memory_mb;
    sample.report = std::move(report->text);
    if (sample.init_ms) {
      state.invokes = 1;
    } else if (state.invokes > 0) {
      ++state.invokes;
    }
    sample.invoke = state.invokes;
  }
  if (!result->function_error.empty()) {
    sample.outcome = Outcome::kFailed;
    sample.reason = FailureType(*result);
  } else if (!report) {
    Reject(sample, report.error().message);
  } else if (start == Start::kMustBeCold && !sample.init_ms) {
    Reject(sample, "expected a cold start, the REPORT line has no Init Duration");
  } else if (start == Start::kMustBeWarm && sample.init_ms) {
    Reject(sample, "expected a warm environment, the REPORT line has an Init Duration");
  }
  return sample;
}

std::expected<void, Error> Sampler::Restore() {
  std::expected<void, Error> restored;
  for (auto& [function, state] : states_) {
    if (!state.stamped) continue;
    aws::UpdateConfigurationInput input;
    input.environment = state.environment;
    auto updated = Retrying([&] { return client_.UpdateConfiguration(function, input); });
    if (updated) {
      state.stamped = false;
    } else if (restored) {
      restored = std::unexpected(
          Error{updated.error().code,
                fmt::format("cannot take the environment variable {} off function {} again: {}",
                            kStampVariable, function, updated.error().message)});
    }
  }
  return restored;
}

}  // namespace kelvin::lab
