#pragma once

#include <string>
#include <string_view>

namespace kelvin::runtime {

// Keeps _X_AMZN_TRACE_ID, where X-Ray's libraries look for the trace of the current invocation.
// Unlike setenv, which never gives an old value's memory back, it needs no more over a million
// invocations than over one. Not thread-safe, as the environment is not.
class TraceVariable {
 public:
  TraceVariable() = default;
  TraceVariable(const TraceVariable&) = delete;
  TraceVariable& operator=(const TraceVariable&) = delete;
  ~TraceVariable();  // unsets it

  // Empty unsets it.
  void Set(std::string_view trace_id);

 private:
  // The environment points into one of them; a reader that still holds the value of the previous
  // invocation reads the other.
  std::string entries_[2];
  int current_ = 0;
};

}  // namespace kelvin::runtime
