#pragma once

#include <expected>
#include <optional>
#include <string>

#include "base/error.h"
#include "cli/arguments.h"

namespace kelvin::cli {

// Who is told the endpoint when a command listens.
struct ReadyOptions {
  std::string file;       // empty for none
  std::optional<int> fd;  // is closed
};

// --ready-file and --ready-fd. What they fill in outlives the parsing.
void AddReadyOptions(Arguments& parser, ReadyOptions& options);

std::expected<void, Error> TellReady(const ReadyOptions& options, const std::string& url);

}  // namespace kelvin::cli
