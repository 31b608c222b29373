#pragma once

#include <expected>
#include <optional>
#include <string>

#include "base/error.h"

namespace kelvin::cli {

// Who is told the endpoint when a command listens.
struct ReadyOptions {
  std::string file;       // empty for none
  std::optional<int> fd;  // is closed
};

std::expected<void, Error> TellReady(const ReadyOptions& options, const std::string& url);

}  // namespace kelvin::cli
