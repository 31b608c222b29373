#pragma once

#include <string>
#include <vector>

#include "cli/host.h"
#include "cli/tables_options.h"

namespace kelvin::cli {

// kelvin tables, and its 'export' and 'import': gives the exit code back.
int TablesCommand(const std::vector<std::string>& arguments, const Host& host);

// Moves items between a table and a file.
int Transfer(const TransferOptions& options, const Host& host);

}  // namespace kelvin::cli
