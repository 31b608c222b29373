#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "deploy/api.h"

namespace kelvin::deploy {

struct LogGroup {
  std::optional<int> retention_days;  // none: kept for ever
};

// "/aws/lambda/NAME", where Lambda writes a function's log.
std::string LogGroupName(const std::string& function);
// Nothing when there is none.
std::expected<std::optional<LogGroup>, Error> FindLogGroup(Api& api, const std::string& function);
// Makes it unless it is there, and sets for how long it keeps the log.
std::expected<void, Error> EnsureLogGroup(Api& api, const std::string& function, int retention_days,
                                          std::vector<std::string>& done);

}  // namespace kelvin::deploy
