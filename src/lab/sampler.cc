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

// A text of a failure's payload; empty where there is none.
std::string PayloadText(const aws::InvokeResult& result, std::string_view name) {
  boost::system::error_code error;
  const boost::json::value payload = boost::json::parse(result.payload, error);
  if (error || !payload.is_object()) return {};
  const boost::json::value* text = payload.get_object().if_contains(name);
  return text != nullptr && text->is_string() ? std::string(text->get_string()) : std::string();
}

// The errorType of a failure's payload, or what Lambda calls the failure.
std::string FailureType(const aws::InvokeResult& result) {
  std::string type = PayloadText(result, "errorType");
  return type.empty() ? result.function_error : type;
}

// Lambda's own failures begin "RequestId: ... Error: ".
std::string FailureMessage(const aws::InvokeResult& result) {
  constexpr std::string_view kMark = " Error: ";
  std::string message = PayloadText(result, "errorMessage");
  if (!message.starts_with("RequestId: ")) return message;
  const std::size_t mark = message.find(kMark);
  return mark == std::string::npos ? message : message.substr(mark + kMark.size());
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
  state.opened = *configuration;
  state.memory_mb = configuration->memory_mb;
  state.stamped = left_over;
  return configuration;
}

std::expected<void, Error> Sampler::Stamp(const std::string& function, State& state,
                                          std::optional<int> memory_mb) {
  aws::UpdateConfigurationInput input;
  input.environment = state.opened.environment;
  // The time makes a stamp differ from one that an earlier run left.
  state.stamp = fmt::format("{} {}", FormatIso8601(clock_.WallNow()), ++stamps_);
  (*input.environment)[std::string(kStampVariable)] = state.stamp;
  input.memory_mb = memory_mb;
  state.stamped = true;
  state.invokes = 0;
  auto updated = Retrying([&] { return client_.UpdateConfiguration(function, input); });
  if (!updated) return std::unexpected(std::move(updated.error()));
  if (memory_mb) state.memory_mb = *memory_mb;
  auto ready = WaitUntilReady(function);
  if (!ready) return std::unexpected(std::move(ready.error()));
  Compare(*ready, state);
  return {};
}

std::expected<void, Error> Sampler::SwitchMemory(const std::string& function,
                                                 std::optional<int> memory_mb) {
  State& state = states_[function];
  if (!memory_mb || *memory_mb == state.memory_mb) return {};
  return Stamp(function, state, memory_mb);
}

void Sampler::Compare(const aws::FunctionConfiguration& now, State& state) {
  if (!state.foreign_change.empty()) return;
  const auto stamp = now.environment.find(std::string(kStampVariable));
  auto environment = now.environment;
  environment.erase(std::string(kStampVariable));
  if (now.code_sha256 != state.opened.code_sha256) {
    state.foreign_change =
        fmt::format("its code (SHA-256 {}, now {})", state.opened.code_sha256, now.code_sha256);
  } else if (now.memory_mb != state.memory_mb) {
    state.foreign_change =
        fmt::format("its memory size ({} MB, now {} MB)", state.memory_mb, now.memory_mb);
  } else if (environment != state.opened.environment) {
    state.foreign_change = "its environment variables";
  } else if (!state.stamp.empty() &&
             (stamp == now.environment.end() || stamp->second != state.stamp)) {
    state.foreign_change =
        fmt::format("the variable {}: another run measures it at the same time", kStampVariable);
  }
}

const std::string& Sampler::ForeignChange(const std::string& function) {
  return states_[function].foreign_change;
}

const std::string& Sampler::LastFailure(const std::string& function) {
  return states_[function].last_failure;
}

std::expected<void, Error> Sampler::Verify(const std::string& function) {
  auto now = Retrying([&] { return client_.GetFunction(function); });
  State& state = states_[function];
  if (now) {
    Compare(*now, state);
  } else if (now.error().code == ErrorCode::kNotFound) {
    state.foreign_change = "that it existed: it was deleted";
  } else {
    return std::unexpected(std::move(now.error()));
  }
  return {};
}

std::expected<Sample, Error> Sampler::TakeCold(const std::string& function,
                                               std::string_view payload,
                                               std::optional<int> memory_mb) {
  if (auto stamped = Stamp(function, states_[function], memory_mb); !stamped) {
    return std::unexpected(std::move(stamped.error()));
  }
  return Take(function, payload, Start::kMustBeCold);
}

std::expected<Sample, Error> Sampler::TakeWarm(const std::string& function,
                                               std::string_view payload,
                                               std::optional<int> memory_mb) {
  if (auto switched = SwitchMemory(function, memory_mb); !switched) {
    return std::unexpected(std::move(switched.error()));
  }
  auto sample = Take(function, payload, Start::kMustBeWarm);
  // Nothing but a change, or Lambda's own doing, ends a warm environment.
  if (sample && sample->outcome == Outcome::kRejected && sample->init_ms) {
    if (auto verified = Verify(function); !verified) {
      return std::unexpected(std::move(verified.error()));
    }
  }
  return sample;
}

std::expected<Sample, Error> Sampler::TakeWarmUp(const std::string& function,
                                                 std::string_view payload,
                                                 std::optional<int> memory_mb) {
  if (auto switched = SwitchMemory(function, memory_mb); !switched) {
    return std::unexpected(std::move(switched.error()));
  }
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
    sample.engine = FindEngineLine(result->log_tail);
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
    state.last_failure = FailureMessage(*result);
  } else if (!report) {
    Reject(sample, report.error().message);
  } else if (start == Start::kMustBeCold && !sample.init_ms) {
    Reject(sample, "expected a cold start, the REPORT line has no Init Duration");
  } else if (start == Start::kMustBeWarm && sample.init_ms) {
    Reject(sample, "expected a warm environment, the REPORT line has an Init Duration");
  }
  return sample;
}

// Starts from the configuration as it is by now: what somebody else changed meanwhile is not
// undone.
std::expected<void, Error> Sampler::RestoreOne(const std::string& function, State& state) {
  auto now = Retrying([&] { return client_.GetFunction(function); });
  if (!now && now.error().code == ErrorCode::kNotFound) return {};  // there is nothing to leave
  if (!now) return std::unexpected(std::move(now.error()));
  aws::UpdateConfigurationInput input;
  if (now->environment.erase(std::string(kStampVariable)) > 0) input.environment = now->environment;
  if (now->memory_mb == state.memory_mb && state.memory_mb != state.opened.memory_mb) {
    input.memory_mb = state.opened.memory_mb;
  }
  if (!input.environment && !input.memory_mb) return {};
  auto updated = Retrying([&] { return client_.UpdateConfiguration(function, input); });
  if (!updated) return std::unexpected(std::move(updated.error()));
  return {};
}

std::expected<void, Error> Sampler::Restore() {
  std::expected<void, Error> restored;
  for (auto& [function, state] : states_) {
    if (!state.stamped) continue;
    const auto one = RestoreOne(function, state);
    if (one) {
      state.stamped = false;
    } else if (restored) {
      restored = std::unexpected(
          Error{one.error().code,
                fmt::format("cannot take the environment variable {} off function {} again: {}; "
                            "take it off by hand",
                            kStampVariable, function, one.error().message)});
    }
  }
  return restored;
}

}  // namespace kelvin::lab
