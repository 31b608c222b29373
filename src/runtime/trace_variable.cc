#include "runtime/trace_variable.h"

#include <cstdlib>

namespace kelvin::runtime {
namespace {

constexpr char kName[] = "_X_AMZN_TRACE_ID";
constexpr std::string_view kAssignment = "_X_AMZN_TRACE_ID=";

}  // namespace

TraceVariable::~TraceVariable() {
  Set({});
}

void TraceVariable::Set(std::string_view trace_id) {
  const std::string& now = entries_[current_];
  if (trace_id.empty()) {
    // Also when a parent process left one to us.
    ::unsetenv(kName);
    entries_[current_].clear();
    return;
  }
  if (now.size() == kAssignment.size() + trace_id.size() && now.ends_with(trace_id)) return;
  current_ = 1 - current_;
  entries_[current_].assign(kAssignment).append(trace_id);
  ::putenv(entries_[current_].data());
}

}  // namespace kelvin::runtime
