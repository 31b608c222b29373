#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "aws/lambda_client.h"
#include "base/fake_clock.h"

namespace kelvin::lab {

// A Lambda in memory: every change of configuration makes the next invoke cold. Tests bend it with
// the public members.
class FakeLambdaClient final : public aws::LambdaClient {
 public:
  struct Function {
    aws::FunctionConfiguration configuration;
    bool cold = true;
    int pending_polls = 0;  // GetFunction answers InProgress that many times
  };

  explicit FakeLambdaClient(const FakeClock& clock) : clock_(clock) {}

  Function& Add(const std::string& name) {
    Function& function = functions[name];
    function.configuration = {.name = name,
                              .arn = "arn:aws:lambda:us-east-1:123456789012:function:" + name,
                              .runtime = "provided.al2023",
                              .architecture = "x86_64",
                              .code_sha256 = "sha",
                              .code_size = 400'000,
                              .memory_mb = 128,
                              .timeout_seconds = 3,
                              .tmp_mb = 512,
                              .state = "Active",
                              .last_update_status = "Successful",
                              .state_reason = {},
                              .description = {},
                              .environment = {},
                              .tags = {{"kelvin:mode", "aot"}, {"kelvin:function", "group"}}};
    return function;
  }

  std::expected<aws::FunctionConfiguration, Error> GetFunction(std::string_view name) override {
    if (auto failure = TakeFailure(failures_of_get)) return std::unexpected(*failure);
    Function* function = Find(name);
    if (function == nullptr) return std::unexpected(NotFound(name));
    aws::FunctionConfiguration configuration = function->configuration;
    if (function->pending_polls > 0) {
      --function->pending_polls;
      configuration.last_update_status = "InProgress";
    }
    return configuration;
  }

  std::expected<aws::FunctionConfiguration, Error> CreateFunction(
      const aws::CreateFunctionInput& input) override {
    created.push_back(input);
    Function& function = Add(input.name);
    function.configuration.environment = input.environment;
    function.configuration.tags = input.tags;
    function.configuration.memory_mb = input.memory_mb;
    return function.configuration;
  }

  std::expected<aws::FunctionConfiguration, Error> UpdateConfiguration(
      std::string_view name, const aws::UpdateConfigurationInput& input) override {
    if (auto failure = TakeFailure(failures_of_update)) return std::unexpected(*failure);
    Function* function = Find(name);
    if (function == nullptr) return std::unexpected(NotFound(name));
    ++updates;
    if (input.environment) function->configuration.environment = *input.environment;
    if (input.memory_mb) function->configuration.memory_mb = *input.memory_mb;
    function->cold = true;
    function->pending_polls = polls_after_update;
    return function->configuration;
  }

  std::expected<std::string, Error> PublishLayer(std::string_view name,
                                                 std::string_view zip) override {
    layers.emplace_back(name, zip);
    return fmt::format("arn:aws:lambda:us-east-1:123456789012:layer:{}:{}", name, layers.size());
  }

  std::expected<void, Error> DeleteFunction(std::string_view name) override {
    functions.erase(std::string(name));
    return {};
  }

  std::expected<aws::InvokeResult, Error> Invoke(std::string_view name, std::string_view payload,
                                                 aws::LogType) override {
    if (auto failure = TakeFailure(failures_of_invoke)) return std::unexpected(*failure);
    Function* function = Find(name);
    if (function == nullptr) return std::unexpected(NotFound(name));
    payloads.emplace_back(payload);
    clock_.Advance(std::chrono::milliseconds{2});
    aws::InvokeResult result;
    result.status = 200;
    result.payload = "{}";
    result.request_id = fmt::format("request-{}", ++invokes);
    const bool cold = function->cold && !never_cold;
    result.log_tail = fmt::format(
        "REPORT RequestId: {}\tDuration: 1.50 ms\tBilled Duration: {} ms\tMemory Size: 128 MB\t"
        "Max Memory Used: 4 MB\t{}\n",
        result.request_id, cold ? 12 : 2, cold ? "Init Duration: 10.00 ms\t" : "");
    function->cold = false;
    bend_invoke(*function, result);
    return result;
  }

  std::expected<std::vector<aws::FunctionConfiguration>, Error> ListFunctions() override {
    std::vector<aws::FunctionConfiguration> all;
    for (const auto& [name, function] : functions) all.push_back(function.configuration);
    return all;
  }

  std::map<std::string, Function, std::less<>> functions;
  std::vector<aws::CreateFunctionInput> created;
  std::vector<std::pair<std::string, std::string>> layers;  // names and zips
  std::vector<std::string> payloads;
  std::deque<Error> failures_of_get;  // taken by the next calls, in order
  std::deque<Error> failures_of_update;
  std::deque<Error> failures_of_invoke;
  std::function<void(Function&, aws::InvokeResult&)> bend_invoke = [](auto&, auto&) {};
  bool never_cold = false;
  int polls_after_update = 0;
  int updates = 0;
  int invokes = 0;

 private:
  static std::optional<Error> TakeFailure(std::deque<Error>& failures) {
    if (failures.empty()) return std::nullopt;
    Error failure = failures.front();
    failures.pop_front();
    return failure;
  }
  static Error NotFound(std::string_view name) {
    return Error{ErrorCode::kNotFound, fmt::format("Function not found: {}", name),
                 "ResourceNotFoundException"};
  }
  Function* Find(std::string_view name) {
    const auto found = functions.find(name);
    return found == functions.end() ? nullptr : &found->second;
  }

  const FakeClock& clock_;
};

}  // namespace kelvin::lab
