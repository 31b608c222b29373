#include "cli/logs_command.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <set>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/encoding.h"
#include "base/time_format.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"

namespace kelvin::cli {
namespace {

namespace json = boost::json;

constexpr std::string_view kExamples =
    "  kelvin logs hello\n"
    "      what the function logged in the last ten minutes\n"
    "  kelvin logs hello --follow --filter ERROR\n"
    "      and what it logs from now on, until Ctrl-C; only lines with ERROR in them\n"
    "  kelvin logs hello --since 2h --filter '{ $.level = \"ERROR\" }' --raw\n"
    "      JSON lines of two hours, without their times\n"
    "  kelvin logs /aws/lambda/hello --profile work --region eu-west-1\n"
    "      a log group on AWS\n";

// A piece of a pause: how long Ctrl-C may have to wait.
constexpr std::chrono::milliseconds kPiece{50};
constexpr std::chrono::milliseconds kLocalPause{250};
constexpr std::chrono::milliseconds kRemotePause{2000};

std::int64_t Milliseconds(Clock::WallTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

deploy::ApiCall FilterCall(const json::object& body) {
  return {.service = "logs",
          .action = "logs:FilterLogEvents",
          .method = "POST",
          .target = "/",
          .body = json::serialize(body),
          .headers = {{"Content-Type", "application/x-amz-json-1.1"},
                      {"X-Amz-Target", "Logs_20140328.FilterLogEvents"}}};
}

bool IsMissing(const Error& error) {
  return error.code == ErrorCode::kNotFound ||
         error.remote_type.starts_with("ResourceNotFoundException");
}

const json::value* Member(const json::value* value, std::string_view name) {
  const json::object* object = value == nullptr ? nullptr : value->if_object();
  return object == nullptr ? nullptr : object->if_contains(name);
}

// The group of a function, which may have been given another than its own.
std::expected<std::string, Error> GroupOf(deploy::Api& api, const std::string& function) {
  if (function.starts_with('/')) return function;
  auto answer = api.Send(
      {.service = "lambda",
       .action = "lambda:GetFunctionConfiguration",
       .method = "GET",
       .target = fmt::format("/2015-03-31/functions/{}/configuration", PercentEncode(function))});
  if (!answer) return std::unexpected(std::move(answer.error()));
  boost::system::error_code error;
  const json::value document = json::parse(*answer, error);
  const json::value* group =
      error ? nullptr : Member(Member(&document, "LoggingConfig"), "LogGroup");
  if (group != nullptr && group->is_string()) return std::string(group->get_string());
  return "/aws/lambda/" + function;
}

class Printer {
 public:
  Printer(deploy::Api& api, const LogsOptions& options, std::string group, const Host& host)
      : api_(api),
        options_(options),
        group_(std::move(group)),
        host_(host),
        from_ms_(Milliseconds(options.since)) {}

  // Prints what is new; every page of it, unless it is to stop.
  std::expected<void, Error> Look(const std::function<bool()>& stopped) {
    json::object body{{"logGroupName", group_}, {"startTime", from_ms_}, {"interleaved", true}};
    if (!options_.filter.empty()) body["filterPattern"] = options_.filter;
    while (!stopped()) {
      auto answer = api_.Send(FilterCall(body));
      if (!answer) return std::unexpected(std::move(answer.error()));
      boost::system::error_code error;
      const json::value page = json::parse(*answer, error);
      const json::object* object = error ? nullptr : page.if_object();
      const json::value* events = object == nullptr ? nullptr : object->if_contains("events");
      if (events == nullptr || !events->is_array()) {
        return std::unexpected(
            Error{ErrorCode::kCorrupt, "expected an object with log events, got something else"});
      }
      for (const json::value& event : events->get_array()) Print(event);
      const json::value* next = object->if_contains("nextToken");
      if (next == nullptr) return {};
      body["nextToken"] = *next;
    }
    return {};
  }

 private:
  void Print(const json::value& event) {
    const json::value* time = Member(&event, "timestamp");
    const json::value* message = Member(&event, "message");
    const json::value* id = Member(&event, "eventId");
    if (time == nullptr || !time->is_int64() || message == nullptr || !message->is_string()) return;
    const std::int64_t ms = time->get_int64();
    if (ms > from_ms_) {
      from_ms_ = ms;
      seen_.clear();
    }
    // The next look begins with this millisecond again, as more may come in it.
    if (id != nullptr && id->is_string() && ms == from_ms_ &&
        !seen_.emplace(std::string(id->get_string())).second) {
      return;
    }
    std::string_view text(message->get_string().data(), message->get_string().size());
    while (text.ends_with('\n')) text.remove_suffix(1);
    if (options_.raw) {
      host_.out.write(fmt::format("{}\n", text));
    } else {
      const Clock::WallTime at{std::chrono::milliseconds(ms)};
      host_.out.write(fmt::format("{} {}\n", FormatIso8601(at), text));
    }
  }

  deploy::Api& api_;
  const LogsOptions& options_;
  std::string group_;
  const Host& host_;
  std::int64_t from_ms_;
  std::set<std::string> seen_;  // ids of events of the newest millisecond
};

}  // namespace

std::optional<Clock::WallTime> ParseSince(std::string_view text, Clock::WallTime now) {
  std::int64_t amount = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
  const bool relative = error == std::errc{} && end + 1 == text.data() + text.size();
  if (relative && amount >= 0 && amount <= 100'000'000) {
    switch (*end) {
      case 's':
        return now - std::chrono::seconds(amount);
      case 'm':
        return now - std::chrono::minutes(amount);
      case 'h':
        return now - std::chrono::hours(amount);
      case 'd':
        return now - std::chrono::hours(24 * amount);
      case 'w':
        return now - std::chrono::hours(24 * 7 * amount);
      default:
        return std::nullopt;
    }
  }
  // Filled up to whole seconds: "2026-08-22" is its midnight.
  constexpr std::string_view kShape = "2026-01-01T00:00:00";
  std::string whole(text);
  if (whole.ends_with('Z')) whole.pop_back();
  if (whole.size() != 10 && whole.size() != 16 && whole.size() != 19) return std::nullopt;
  whole += kShape.substr(whole.size());
  std::tm fields{};
  const char* const read = ::strptime(whole.c_str(), "%Y-%m-%dT%H:%M:%S", &fields);
  if (read == nullptr || *read != '\0') return std::nullopt;
  return std::chrono::system_clock::from_time_t(::timegm(&fields));
}

std::expected<LogsOptions, Stop> ParseLogs(const std::vector<std::string>& arguments,
                                           const Host& host) {
  LogsOptions options;
  std::string since = "10m";
  Arguments parser("logs", "Prints what a function logged, oldest first.", std::string(kExamples));
  CLI::App& app = parser.app();
  app.add_option("FUNCTION", options.function, "Name, or a log group, which begins with '/'")
      ->required();
  app.add_flag("-f,--follow", options.follow,
               "Go on with what is logged from now on, until Ctrl-C");
  app.add_option("--since", since,
                 "How far back: 30s, 5m, 2h, 1d, 1w, or a UTC time such as 2026-08-22T10:15:30Z")
      ->type_name("TIME")
      ->capture_default_str();
  app.add_option("--filter", options.filter,
                 "CloudWatch filter pattern: words, \"a phrase\", -not ?or ?this, %[Rr]egex%, "
                 "{ $.level = \"ERROR\" }, [ip, ..., ms > 5]")
      ->type_name("PATTERN");
  app.add_flag("--raw", options.raw, "Messages alone, without their times");
  AddTargetOptions(parser, options.target,
                   "'kelvin serve' on this machine; with --profile or --region AWS");
  if (auto parsed = parser.Parse(arguments); !parsed) return std::unexpected(parsed.error());
  const auto from = ParseSince(since, host.clock.WallNow());
  if (!from) {
    return std::unexpected(UsageStop(fmt::format(
        "expected --since 30s, 5m, 2h, 1d, 1w or a time such as 2026-08-22T10:15:30Z, got {}",
        since)));
  }
  options.since = *from;
  return options;
}

int PrintLogs(deploy::Api& api, const LogsOptions& options, std::chrono::milliseconds pause,
              const std::function<bool()>& stopped, const Host& host) {
  const auto group = GroupOf(api, options.function);
  if (!group && !IsMissing(group.error())) {
    return Fail(host, kExitEnvironment, CallFailure(group.error()));
  }
  // A function that is gone has left its log behind, perhaps.
  Printer printer(api, options, group.value_or("/aws/lambda/" + options.function), host);
  bool told = false;
  for (;;) {
    const auto looked = printer.Look(stopped);
    if (!looked && !IsMissing(looked.error())) {
      const bool wrong = looked.error().remote_type.starts_with("InvalidParameter");
      return Fail(host, wrong ? kExitUsage : kExitEnvironment, CallFailure(looked.error()));
    }
    if (!looked && !group) return Fail(host, kExitUsage, group.error().message);
    if (!looked && options.function.starts_with('/') && !options.follow) {
      return Fail(host, kExitUsage, looked.error().message);
    }
    if (!looked && !std::exchange(told, true)) {
      host.err.write(fmt::format("kelvin: {} has logged nothing yet{}\n", options.function,
                                 options.follow ? "; waiting" : ""));
    }
    if (!options.follow) return kExitOk;
    for (auto waited = std::chrono::milliseconds(0); waited < pause; waited += kPiece) {
      if (stopped()) return kExitOk;
      host.clock.SleepFor(kPiece);
    }
    if (stopped()) return kExitOk;
  }
}

int Logs(const std::vector<std::string>& arguments, const Host& host) {
  const auto options = ParseLogs(arguments, host);
  if (!options) return Report(host, options.error());
  auto lambda = LocalLambdaOptions(host, options->target);
  if (!lambda) return Fail(host, lambda.error());
  const aws::ServiceEndpoint& endpoint = lambda->endpoint;
  // On AWS each service has an endpoint of its own.
  const bool is_aws = endpoint.address.host.contains(".amazonaws.");
  const aws::EnvironmentLookup environment =
      is_aws ? host.environment : WithStandIns(host.environment);
  const auto api = deploy::NewApi(
      {.credentials = lambda->credentials,
       .provider = lambda->provider,
       .region = lambda->region,
       .endpoint_url =
           is_aws
               ? std::string()
               : fmt::format("{}://{}", endpoint.scheme == aws::Scheme::kHttps ? "https" : "http",
                             endpoint.HostHeader())},
      environment, host.clock, host.random);
  const InterruptWatch watch([] {});
  return PrintLogs(
      *api, *options, is_aws ? kRemotePause : kLocalPause, [&watch] { return watch.requested(); },
      host);
}

}  // namespace kelvin::cli
