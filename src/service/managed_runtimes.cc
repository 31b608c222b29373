#include "service/managed_runtimes.h"

#include <fmt/format.h>

namespace kelvin::service {

bool IsProvided(std::string_view runtime) {
  return runtime == "provided.al2023" || runtime == "provided.al2";
}

std::expected<void, ApiError> CheckRuntime(const ManagedRuntimes& runtimes,
                                           std::string_view runtime) {
  if (IsProvided(runtime) || runtimes.contains(runtime)) return {};
  std::string known = "provided.al2023, provided.al2";
  for (const auto& [name, folders] : runtimes) known += ", " + name;
  return std::unexpected(ApiError{
      ApiErrorKind::kInvalidParameterValue,
      fmt::format("Value {0} at 'runtime' failed to satisfy constraint: Member must satisfy enum "
                  "value set: [{1}] or be a valid ARN. This local service runs a managed runtime "
                  "when it is given its folder: kelvin serve --runtime {0}=FOLDER, or [[runtime]] "
                  "in kelvin.toml; Kelvin comes with runtimes/node and runtimes/python",
                  runtime, known)});
}

}  // namespace kelvin::service
