#include "cli/invoke.h"

#include <fmt/format.h>

#include "cli/exit_code.h"
#include "cli/lambda_endpoint.h"
#include "cli/payload.h"

namespace kelvin::cli {
namespace {

constexpr std::string_view kExamples =
    "  kelvin invoke hello --payload '{\"name\": \"Ada\"}'\n"
    "      on the service that 'kelvin serve' runs\n"
    "  kelvin invoke hello --payload event.json --tail\n"
    "      with the payload from a file, and the end of the log\n"
    "  kelvin invoke hello --payload example:sqs\n"
    "      with messages as a queue sends them; see 'kelvin events'\n"
    "  kelvin invoke hello --profile work\n"
    "      on AWS, with the credentials and the region of that profile\n";

}  // namespace

std::expected<InvokeOptions, Stop> ParseInvoke(const std::vector<std::string>& arguments) {
  InvokeOptions options;
  bool tail = false;
  Arguments parser("invoke", "Invokes a function once and prints its answer.",
                   std::string(kExamples));
  CLI::App& app = parser.app();
  app.add_option("FUNCTION", options.function, "Name or ARN")->required();
  app.add_option("--payload", options.payload,
                 "JSON, a file with JSON, or an example, which 'kelvin events' lists")
      ->type_name("JSON|FILE|example:NAME")
      ->capture_default_str();
  AddTargetOptions(parser, options.target,
                   "'kelvin serve' on this machine; with --profile or --region AWS");
  app.add_flag("--tail", tail, "Print the end of the function's log to standard error");
  if (auto parsed = parser.Parse(arguments); !parsed) return std::unexpected(parsed.error());
  if (tail) options.log = aws::LogType::kTail;
  return options;
}

int InvokeOnce(aws::LambdaClient& client, const InvokeOptions& options, const Host& host) {
  const auto payload = ReadPayload(options.payload);
  if (!payload) return Fail(host, payload.error());
  const auto result = client.Invoke(options.function, *payload, options.log);
  if (!result) return Fail(host, kExitEnvironment, CallFailure(result.error()));
  if (!result->log_tail.empty()) {
    host.err.write(result->log_tail);
    if (!result->log_tail.ends_with('\n')) host.err.write("\n");
  }
  host.out.write(result->payload + '\n');
  if (result->function_error.empty()) return kExitOk;
  return Fail(host, kExitFinding,
              fmt::format("function {} failed: {} (request {})", options.function,
                          result->function_error, result->request_id));
}

int Invoke(const std::vector<std::string>& arguments, const Host& host) {
  const auto options = ParseInvoke(arguments);
  if (!options) return Report(host, options.error());
  auto lambda = LocalLambdaOptions(host, options->target);
  if (!lambda) return Fail(host, lambda.error());
  RemoteLambda remote(std::move(*lambda), host);
  return InvokeOnce(remote.client(), *options, host);
}

}  // namespace kelvin::cli
