#include "service/control_fixture.h"

#include <fstream>

#include <fmt/format.h>

#include "base/encoding.h"
#include "package/zip.h"
#include "service/alias_api.h"
#include "service/concurrency_api.h"
#include "service/event_invoke_api.h"
#include "service/function_api.h"
#include "service/policy_api.h"
#include "service/settings_api.h"
#include "service/tag_api.h"
#include "service/url_api.h"
#include "service/version_api.h"

namespace kelvin::service {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
namespace fs = std::filesystem;

std::string ZipOfBootstrap(const fs::path& folder) {
  const fs::path file = folder / "bootstrap";
  std::ofstream(file) << "#!/bin/sh\n";
  return Base64Encode(
      package::MakeZip({{.name = "bootstrap", .source = file, .executable = true}}).value());
}

}  // namespace

ControlFixture::ControlFixture()
    : SchedulerFixture(1000),
      zip_(ZipOfBootstrap(folder_.path())),
      store_(FunctionStore::Open(folder_.path() / "state").value()),
      parts_{.registry = registry_,
             .layers = layer_registry_,
             .store = store_,
             .workers = workers_,
             .scheduler = *scheduler_,
             .clock = clock_,
             .random = random_,
             .log = log_,
             .place = options_.place,
             .runtimes = runtimes_,
             .host = {.native = Architecture::kX86, .emulation = Emulation::kYes},
             .url = "http://127.0.0.1:3001"},
      layer_api_({.layers = layer_registry_,
                  .store = store_,
                  .workers = workers_,
                  .clock = clock_,
                  .log = log_,
                  .place = options_.place}) {
  AddFunctionCalls(operations_, parts_);
  AddVersionCalls(operations_, parts_);
  AddAliasCalls(operations_, parts_);
  AddConcurrencyCalls(operations_, parts_);
  AddUrlCalls(operations_, parts_);
  AddEventInvokeCalls(operations_, parts_);
  AddTagCalls(operations_, parts_);
  AddPolicyCalls(operations_, parts_);
  AddSettingsCalls(operations_, parts_);
  layer_api_.AddTo(operations_);
}

http::Response ControlFixture::Send(std::string_view method, std::string_view target,
                                    std::string body) {
  auto route = FindRoute(method, target);
  if (!route || !operations_.contains(route->operation)) {
    ADD_FAILURE() << "no such call: " << method << " " << target;
    return {};
  }
  const Operation& operation = operations_.at(route->operation);
  ApiCall call{
      .route = std::move(*route),
      .request = {std::string(method), std::string(target), {}, std::move(body)},
      .request_id = NewUuid(random_),
  };
  std::optional<http::Response> answer;
  asio::co_spawn(
      context_,
      [](const Operation& asked, ApiCall with,
         std::optional<http::Response>& into) -> asio::awaitable<void> {
        into = (co_await asked(std::move(with))).response;
      }(operation, std::move(call), answer),
      asio::detached);
  context_.restart();
  while (!answer && context_.run_one() > 0) {
  }
  if (!answer) {
    ADD_FAILURE() << "no answer: " << method << " " << target;
    return {};
  }
  return std::move(*answer);
}

json::object ControlFixture::Ask(int status, std::string_view method, std::string_view target,
                                 std::string body) {
  const http::Response answer = Send(method, target, std::move(body));
  EXPECT_EQ(answer.status, status) << method << " " << target << ": " << answer.body;
  return answer.body.empty() ? json::object() : json::parse(answer.body).as_object();
}

void ControlFixture::ExpectRefused(const std::vector<Refused>& calls) {
  for (const Refused& call : calls) {
    const http::Response answer = Send(call.method, call.target, call.body);
    boost::system::error_code no_json;
    const json::value body = json::parse(answer.body, no_json);
    std::string_view message;
    for (const std::string_view name : {"message", "Message"}) {
      if (body.is_object() && body.get_object().contains(name)) {
        message = body.get_object().at(name).as_string();
      }
    }
    EXPECT_EQ(
        fmt::format("{} {} {}", answer.status, answer.headers.Get("x-amzn-ErrorType"), message),
        call.answer)
        << call.method << " " << call.target << " " << call.body;
  }
}

json::object ControlFixture::CreateFunction(std::string_view name, std::string_view more) {
  return Ask(201, "POST", kFunctions, BodyOfCreate(name, more));
}

std::string ControlFixture::BodyOfCreate(std::string_view name, std::string_view more) const {
  return fmt::format(R"({{"FunctionName":"{}","Runtime":"provided.al2023","Handler":"bootstrap",)"
                     R"("Role":"arn:aws:iam::123456789012:role/r","Code":{{"ZipFile":"{}"}}{}}})",
                     name, zip_, more);
}

void ControlFixture::PublishLayer(std::string_view name) {
  Ask(201, "POST", fmt::format("/2018-10-31/layers/{}/versions", name),
      fmt::format(R"({{"Content":{{"ZipFile":"{}"}}}})", zip_));
}

std::string ControlFixture::RevisionOf(std::string_view function, std::string_view qualifier) {
  return std::string(
      Get(fmt::format("{}/{}/configuration?Qualifier={}", kFunctions, function, qualifier))
          .at("RevisionId")
          .as_string());
}

}  // namespace kelvin::service
