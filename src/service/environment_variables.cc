#include "service/environment_variables.h"

#include <algorithm>
#include <map>

#include "service/managed_runtimes.h"

namespace kelvin::service {
namespace {

constexpr std::string_view kReserved[] = {
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_SECURITY_TOKEN",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
};

}  // namespace

bool IsReservedVariable(std::string_view name) {
  return std::ranges::find(kReserved, name) != std::end(kReserved);
}

EnvironmentVariables FunctionEnvironment(const FunctionConfig& config, const Place& place,
                                         const EnvironmentVariables& defaults,
                                         const EnvironmentFacts& facts) {
  std::map<std::string, std::string> variables{
      // Credentials that nobody checks: SDKs refuse to start without any.
      {"AWS_ACCESS_KEY_ID", "kelvin"},
      {"AWS_SECRET_ACCESS_KEY", "kelvin"},
      {"AWS_SESSION_TOKEN", "kelvin"},
      {"AWS_REGION", place.region},
      {"AWS_DEFAULT_REGION", place.region},
      {"AWS_LAMBDA_FUNCTION_NAME", config.name},
      {"AWS_LAMBDA_FUNCTION_VERSION", config.version},
      {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", std::to_string(config.memory_mb)},
      {"AWS_LAMBDA_INITIALIZATION_TYPE", std::string(facts.initialization)},
      {"AWS_LAMBDA_LOG_GROUP_NAME", config.log_group},
      {"AWS_LAMBDA_LOG_STREAM_NAME", std::string(facts.log_stream)},
      {"AWS_LAMBDA_RUNTIME_API", std::string(facts.runtime_api)},
      {"AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR"},
      {"AWS_XRAY_DAEMON_ADDRESS", "169.254.79.129:2000"},
      {"LAMBDA_TASK_ROOT", "/var/task"},
      {"LAMBDA_RUNTIME_DIR", "/var/runtime"},
      {"LANG", "en_US.UTF-8"},
      {"TZ", ":UTC"},
      {"PATH", "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin"},
      {"LD_LIBRARY_PATH",
       "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:"
       "/opt/lib"},
      {"_HANDLER", config.handler},
  };
  if (config.log_format == LogFormat::kJson) {
    variables["AWS_LAMBDA_LOG_FORMAT"] = "JSON";
    variables["AWS_LAMBDA_LOG_LEVEL"] = config.application_log_level;
  }
  if (!config.runtime.empty() && !IsProvided(config.runtime)) {
    variables["AWS_EXECUTION_ENV"] = "AWS_Lambda_" + config.runtime;
  }
  for (const auto& [name, value] : defaults) variables[name] = value;
  for (const auto& [name, value] : config.environment) variables[name] = value;
  return {variables.begin(), variables.end()};
}

}  // namespace kelvin::service
