#pragma once

#include <expected>
#include <string>

#include "deploy/api.h"
#include "deploy/function_spec.h"

namespace kelvin::deploy {

// The body of the CreateTable of a table with on-demand capacity.
std::string CreateTableBody(const TableSpec& table);

std::expected<bool, Error> HasTable(Api& api, const std::string& name);
// Makes it, with time to live, as a template does.
std::expected<void, Error> MakeTable(Api& api, const TableSpec& table);

}  // namespace kelvin::deploy
