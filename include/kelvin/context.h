#pragma once

#include <chrono>
#include <string_view>

#include "kelvin/environment.h"
#include "kelvin/logger.h"

namespace kelvin {

class Clock;

// What Lambda says about the function; empty or 0 where it says nothing.
struct FunctionInfo {
  std::string_view name = {};
  std::string_view version = {};
  int memory_mb = 0;
  std::string_view log_group = {};
  std::string_view log_stream = {};
};

// What Lambda says about one invocation; empty where it says nothing.
struct InvocationInfo {
  static constexpr std::chrono::system_clock::time_point kNoDeadline =
      std::chrono::system_clock::time_point::max();

  std::string_view request_id = {};
  std::string_view invoked_function_arn = {};
  // When Lambda will kill the function.
  std::chrono::system_clock::time_point deadline = kNoDeadline;
  std::string_view trace_id = {};        // X-Ray's, as in _X_AMZN_TRACE_ID
  std::string_view client_context = {};  // JSON, as the mobile SDKs send it
  std::string_view cognito_identity_id = {};
  std::string_view cognito_identity_pool_id = {};
  std::string_view tenant_id = {};
};

// What a handler may know about the invocation it serves. All views hold until the handler
// returns. A test makes one with what it needs: kelvin::Context({.request_id = "r-1"}).
class Context {
 public:
  explicit Context(const InvocationInfo& invocation = {}, const FunctionInfo& function = {},
                   const Logger& log = {}, const Clock* clock = nullptr)
      : invocation_(invocation),
        function_(function),
        log_(log.ForRequest(invocation_.request_id)),
        clock_(clock) {}

  std::string_view request_id() const { return invocation_.request_id; }
  std::string_view invoked_function_arn() const { return invocation_.invoked_function_arn; }
  std::string_view trace_id() const { return invocation_.trace_id; }
  std::string_view client_context() const { return invocation_.client_context; }
  std::string_view cognito_identity_id() const { return invocation_.cognito_identity_id; }
  std::string_view cognito_identity_pool_id() const { return invocation_.cognito_identity_pool_id; }
  std::string_view tenant_id() const { return invocation_.tenant_id; }
  const FunctionInfo& function() const { return function_; }
  const Logger& log() const { return log_; }

  // When Lambda will kill the function, by the wall clock.
  std::chrono::system_clock::time_point deadline() const { return invocation_.deadline; }
  // What is left until then: 0 when it has passed, milliseconds::max() without a deadline.
  std::chrono::milliseconds RemainingTime() const;
  // The deadline by the monotonic clock, for time-outs; time_point::max() without a deadline.
  std::chrono::steady_clock::time_point SteadyDeadline() const;

 private:
  InvocationInfo invocation_;
  FunctionInfo function_;
  Logger log_;
  const Clock* clock_;
};

// What the construction of a handler may use, in the init phase. A test makes one from an
// Environment.
class InitContext {
 public:
  explicit InitContext(const Environment& environment, const FunctionInfo& function = {},
                       const Logger& log = {})
      : environment_(environment), function_(function), log_(log) {}

  const Environment& environment() const { return environment_; }
  const FunctionInfo& function() const { return function_; }
  // Outlives the init phase: a handler may keep a copy.
  const Logger& log() const { return log_; }

 private:
  Environment environment_;
  FunctionInfo function_;
  Logger log_;
};

}  // namespace kelvin
