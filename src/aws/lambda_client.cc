#include "aws/lambda_client.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "aws/lambda_json.h"
#include "aws/service_error.h"
#include "aws/signed_client.h"
#include "base/encoding.h"

namespace kelvin::aws {
namespace {

constexpr std::string_view kFunctions = "/2015-03-31/functions";

std::string PathOf(std::string_view function) {
  return fmt::format("{}/{}", kFunctions, PercentEncode(function));
}

// Which failures of a call leave it certain that nothing was done, or harmless to do it again.
enum class Repeat { kAlways, kWhenThrottled };

struct Call {
  std::string_view name;
  std::string_view method;
  std::string target;
  std::string body = {};
  Repeat repeat = Repeat::kAlways;
};

class HttpLambdaClient final : public LambdaClient {
 public:
  HttpLambdaClient(LambdaClientOptions options, http::Connector& connector, const Clock& clock,
                   Random& random)
      : clock_(clock),
        random_(random),
        retry_(options.retry),
        call_timeout_(options.call_timeout),
        invoke_timeout_(options.invoke_timeout),
        client_(connector, clock, std::move(options.endpoint),
                Signer(std::move(options.credentials), std::move(options.region), "lambda"),
                std::move(options.provider)) {}

  std::expected<FunctionConfiguration, Error> GetFunction(std::string_view name) override {
    return SendAndParse({"GetFunction", "GET", PathOf(name)}, ParseGetFunction);
  }

  std::expected<FunctionConfiguration, Error> CreateFunction(
      const CreateFunctionInput& input) override {
    return SendAndParse({"CreateFunction", "POST", std::string(kFunctions),
                         CreateFunctionBody(input), Repeat::kWhenThrottled},
                        ParseFunctionConfiguration);
  }

  std::expected<FunctionConfiguration, Error> UpdateConfiguration(
      std::string_view name, const UpdateConfigurationInput& input) override {
    return SendAndParse({"UpdateFunctionConfiguration", "PUT", PathOf(name) + "/configuration",
                         UpdateConfigurationBody(input)},
                        ParseFunctionConfiguration);
  }

  std::expected<std::string, Error> PublishLayer(std::string_view name,
                                                 std::string_view zip) override {
    return SendAndParse({"PublishLayerVersion", "POST",
                         fmt::format("/2018-10-31/layers/{}/versions", PercentEncode(name)),
                         PublishLayerBody(zip), Repeat::kWhenThrottled},
                        ParsePublishLayer);
  }

  std::expected<void, Error> DeleteFunction(std::string_view name) override {
    auto sent = Send({"DeleteFunction", "DELETE", PathOf(name)});
    if (!sent) return std::unexpected(std::move(sent.error()));
    return {};
  }

  std::expected<std::vector<FunctionConfiguration>, Error> ListFunctions() override {
    std::vector<FunctionConfiguration> all;
    std::string marker;
    do {
      const std::string query = marker.empty() ? std::string() : "&Marker=" + PercentEncode(marker);
      auto page =
          SendAndParse({"ListFunctions", "GET", fmt::format("{}?MaxItems=50{}", kFunctions, query)},
                       ParseListFunctions);
      if (!page) return std::unexpected(std::move(page.error()));
      std::ranges::move(page->functions, std::back_inserter(all));
      if (!marker.empty() && page->next_marker == marker) {
        return std::unexpected(
            Error{ErrorCode::kCorrupt, "expected ListFunctions to go on, it repeats its marker"});
      }
      marker = std::move(page->next_marker);
    } while (!marker.empty());
    return all;
  }

  std::expected<InvokeResult, Error> Invoke(std::string_view name, std::string_view payload,
                                            LogType log) override;

 private:
  // The body of the answer, which stays until the next call.
  std::expected<std::string_view, Error> Send(const Call& call);
  template <typename Parse>
  auto SendAndParse(const Call& call, Parse parse) -> decltype(parse(std::string_view{})) {
    auto body = Send(call);
    if (!body) return std::unexpected(std::move(body.error()));
    return parse(*body);
  }
  std::expected<std::string_view, Error> SendOnce(const Call& call, Clock::TimePoint deadline);

  const Clock& clock_;
  Random& random_;
  RetryPolicy retry_;
  std::chrono::milliseconds call_timeout_;
  std::chrono::milliseconds invoke_timeout_;
  SignedClient client_;
  http::Response response_;
};

std::expected<std::string_view, Error> HttpLambdaClient::Send(const Call& call) {
  const Clock::TimePoint deadline = clock_.Now() + call_timeout_;
  Retrier retrier(retry_, clock_, random_, deadline);
  for (;;) {
    auto sent = SendOnce(call, deadline);
    if (sent) return sent;
    const bool safe = call.repeat == Repeat::kAlways || sent.error().code == ErrorCode::kThrottled;
    if (!safe || !retrier.WaitForNext(sent.error().code)) return sent;
  }
}

std::expected<std::string_view, Error> HttpLambdaClient::SendOnce(const Call& call,
                                                                  Clock::TimePoint deadline) {
  http::Headers headers;
  if (!call.body.empty()) headers.Set("Content-Type", "application/json");
  const auto resend = call.repeat == Repeat::kAlways ? http::Resend::kYes : http::Resend::kNo;
  auto sent = client_.Send(call.method, call.target, std::move(headers), call.body, response_,
                           deadline, resend);
  if (!sent) {
    sent.error().message = fmt::format("Lambda {} failed: {}", call.name, sent.error().message);
    return std::unexpected(std::move(sent.error()));
  }
  if (response_.status / 100 != 2) {
    return std::unexpected(ErrorFromResponse(fmt::format("Lambda {}", call.name), response_));
  }
  return response_.body;
}

std::expected<InvokeResult, Error> HttpLambdaClient::Invoke(std::string_view name,
                                                            std::string_view payload, LogType log) {
  http::Headers headers{{"Content-Type", "application/json"},
                        {"X-Amz-Invocation-Type", "RequestResponse"}};
  if (log == LogType::kTail) headers.Add("X-Amz-Log-Type", "Tail");
  auto sent = client_.Send("POST", PathOf(name) + "/invocations", std::move(headers), payload,
                           response_, clock_.Now() + invoke_timeout_, http::Resend::kNo);
  if (!sent) {
    sent.error().message = fmt::format("Lambda Invoke failed: {}", sent.error().message);
    return std::unexpected(std::move(sent.error()));
  }
  if (response_.status / 100 != 2) {
    return std::unexpected(ErrorFromResponse("Lambda Invoke", response_));
  }
  auto tail = Base64Decode(response_.headers.Get("X-Amz-Log-Result"));
  if (!tail) {
    return std::unexpected(
        Error{ErrorCode::kCorrupt,
              fmt::format("X-Amz-Log-Result of Lambda Invoke: {}", tail.error().message)});
  }
  return InvokeResult{response_.status,
                      std::move(response_.body),
                      std::string(response_.headers.Get("X-Amz-Function-Error")),
                      std::move(*tail),
                      std::string(response_.headers.Get("x-amzn-RequestId")),
                      std::string(response_.headers.Get("X-Amz-Executed-Version"))};
}

}  // namespace

std::expected<LambdaClientOptions, Error> LambdaClientOptionsFromEnvironment(
    const EnvironmentLookup& lookup, std::string_view endpoint_url) {
  auto credentials = CredentialsFromEnvironment(lookup);
  if (!credentials) return std::unexpected(std::move(credentials.error()));
  auto region = RegionFromEnvironment(lookup);
  if (!region) return std::unexpected(std::move(region.error()));
  auto endpoint = FindEndpoint("lambda", *region, lookup, endpoint_url);
  if (!endpoint) return std::unexpected(std::move(endpoint.error()));
  LambdaClientOptions options;
  options.endpoint = std::move(*endpoint);
  options.region = std::move(*region);
  options.credentials = std::move(*credentials);
  return options;
}

std::unique_ptr<LambdaClient> NewLambdaClient(LambdaClientOptions options,
                                              http::Connector& connector, const Clock& clock,
                                              Random& random) {
  return std::make_unique<HttpLambdaClient>(std::move(options), connector, clock, random);
}

}  // namespace kelvin::aws
