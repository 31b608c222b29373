#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cli/arguments.h"
#include "cli/host.h"
#include "cli/lambda_endpoint.h"
#include "deploy/api.h"

namespace kelvin::cli {

struct LogsOptions {
  std::string function;  // or a log group, which begins with '/'
  std::string filter;    // a CloudWatch filter pattern; empty: everything
  Target target = {};
  Clock::WallTime since;
  bool follow = false;
  bool raw = false;  // messages alone
};

// "5m" before now (s, m, h, d, w), or a time in ISO 8601 and UTC: "2026-08-22T10:15:30Z", with
// less than seconds too. Nothing for anything else.
std::optional<Clock::WallTime> ParseSince(std::string_view text, Clock::WallTime now);

std::expected<LogsOptions, Stop> ParseLogs(const std::vector<std::string>& arguments,
                                           const Host& host);

// Prints the events, oldest first; with `follow` until `stopped`. Waits `pause` between looks, in
// short pieces.
int PrintLogs(deploy::Api& api, const LogsOptions& options, std::chrono::milliseconds pause,
              const std::function<bool()>& stopped, const Host& host);

int Logs(const std::vector<std::string>& arguments, const Host& host);

}  // namespace kelvin::cli
