#include "handler.h"

#include <chrono>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "lab/cost.h"
#include "lab/record.h"
#include "lab/run.h"

namespace invoker {
namespace {

namespace json = boost::json;
namespace lab = kelvin::lab;

constexpr std::chrono::seconds kReserve{10};  // for leaving the functions as they were found
constexpr int kMaxSamples = 10'000;

struct Request {
  std::vector<lab::Subject> subjects;
  lab::PlanOptions plan{.cold = 5, .warm_up = 5, .warm = 100};
};

std::unexpected<kelvin::HandlerError> Bad(std::string message) {
  return std::unexpected(
      kelvin::HandlerError{"Invoker.InvalidRequest", std::move(message), {}, {}});
}

std::expected<void, kelvin::HandlerError> ReadCount(const json::object& event, std::string_view key,
                                                    int& out) {
  const json::value* value = event.if_contains(key);
  if (value == nullptr) return {};
  boost::system::error_code error;
  const int count = value->is_number() ? value->to_number<int>(error) : -1;
  if (error || count < 0 || count > kMaxSamples) {
    return Bad(fmt::format("expected {} to be a whole number from 0 to {}, got {}", key,
                           kMaxSamples, json::serialize(*value)));
  }
  out = count;
  return {};
}

std::expected<void, kelvin::HandlerError> ReadNames(const json::array& names, Request& request) {
  for (const json::value& name : names) {
    if (!name.is_string() || name.get_string().empty()) {
      return Bad(fmt::format("expected names or ARNs of functions, got {}", json::serialize(name)));
    }
    request.subjects.push_back({.name = std::string(name.get_string())});
  }
  return {};
}

std::expected<void, kelvin::HandlerError> ReadOptions(const json::object& event, Request& request) {
  const json::value* functions = event.if_contains("functions");
  if (functions != nullptr) {
    if (!functions->is_array()) return Bad("expected functions to be a list of names or ARNs");
    if (auto read = ReadNames(functions->get_array(), request); !read) return read;
  }
  for (const auto& [key, place] :
       {std::pair("cold", &request.plan.cold), std::pair("warm_up", &request.plan.warm_up),
        std::pair("warm", &request.plan.warm)}) {
    if (auto read = ReadCount(event, key, *place); !read) return read;
  }
  if (const json::value* seed = event.if_contains("seed")) {
    boost::system::error_code error;
    if (seed->is_number()) request.plan.seed = seed->to_number<std::uint64_t>(error);
    if (!seed->is_number() || error) return Bad("expected seed to be a whole number");
  }
  return {};
}

void AddTargets(std::string_view targets, Request& request) {
  while (!targets.empty()) {
    const std::string_view name = targets.substr(0, targets.find(','));
    targets.remove_prefix(std::min(name.size() + 1, targets.size()));
    if (!name.empty()) request.subjects.push_back({.name = std::string(name)});
  }
}

std::expected<Request, kelvin::HandlerError> Read(std::string_view payload,
                                                  std::string_view targets,
                                                  kelvin::Random& random) {
  boost::system::error_code error;
  const json::value event = json::parse(json::string_view(payload.data(), payload.size()), error);
  Request request;
  request.plan.seed = random.Next() >> 32;
  std::expected<void, kelvin::HandlerError> read;
  std::string forwarded = "{}";
  if (!error && event.is_array()) {
    read = ReadNames(event.get_array(), request);
  } else if (!error && event.is_object()) {
    read = ReadOptions(event.get_object(), request);
    if (const json::value* given = event.get_object().if_contains("payload")) {
      forwarded = json::serialize(*given);
    }
  } else {
    return Bad("expected a list of function ARNs, or {\"functions\": [...], \"cold\": 5, ...}");
  }
  if (!read) return std::unexpected(std::move(read.error()));
  if (request.subjects.empty()) AddTargets(targets, request);
  if (request.subjects.empty()) {
    return Bad("expected functions in the event or in the variable TARGET_FUNCTIONS, got none");
  }
  for (lab::Subject& subject : request.subjects) subject.payload = forwarded;
  return request;
}

void LogSample(const lab::Record& record, const lab::Sample& sample,
               const kelvin::Context& context) {
  const std::string& name = record.functions[sample.function].name;
  const std::string_view run = sample.kind == lab::SampleKind::kCold ? "COLD RUN" : "WARM RUN";
  if (sample.outcome != lab::Outcome::kOk) {
    context.log().Warn("{} {}: {} ({})", run, name, lab::OutcomeName(sample.outcome),
                       sample.reason);
  } else {
    context.log().Info("{} {}: Init {:.2f} ms, Duration {:.2f} ms, Billed {} ms, Max Memory {} MB",
                       run, name, sample.init_ms.value_or(0), sample.duration_ms, sample.billed_ms,
                       sample.max_memory_mb);
  }
}

}  // namespace

Handler::Handler(std::unique_ptr<kelvin::aws::LambdaClient> client, const kelvin::Clock& clock,
                 kelvin::Random& random, std::string targets)
    : client_(std::move(client)), clock_(clock), random_(random), targets_(std::move(targets)) {}

std::expected<std::string, kelvin::HandlerError> Handler::operator()(
    std::string_view payload, const kelvin::Context& context) {
  const auto request = Read(payload, targets_, random_);
  if (!request) return std::unexpected(request.error());
  lab::Record record;
  record.tool = "kelvin invoker";
  record.endpoint = "the functions beside it";
  record.conditions.target = "endpoint";
  if (const auto prices = lab::ParsePriceTable(lab::BuiltInPrices())) {
    record.pricing = {prices->date, "us-east-1", 0.01};
  }
  record.machine = lab::ReadMachine();
  std::size_t logged = 0;
  lab::RunHooks hooks;
  hooks.stop_requested = [&] { return context.RemainingTime() < kReserve; };
  hooks.save = [&](const lab::Record& current) -> std::expected<void, kelvin::Error> {
    for (; logged < current.samples.size(); ++logged) {
      LogSample(current, current.samples[logged], context);
    }
    return {};
  };
  lab::RunOptions options;
  options.plan = request->plan;
  const auto run = lab::Run(*client_, clock_, request->subjects, options, hooks, record);
  if (!run) {
    return std::unexpected(
        kelvin::HandlerError{"Invoker.MeasurementFailed", run.error().message, {}, {}});
  }
  return lab::RecordJson(record);
}

}  // namespace invoker
