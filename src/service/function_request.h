#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/api_error.h"
#include "service/function_config.h"
#include "service/function_name.h"
#include "service/machine.h"

namespace kelvin::service {

struct CreateRequest {
  FunctionConfig config;  // without what the code and the time of creation tell
  std::string zip;
  std::vector<std::string> layers;  // ARNs of layer versions
  bool publish = false;
};

struct CodeRequest {
  std::string zip;
  std::string revision_id;   // empty when the caller does not care
  std::string architecture;  // empty: as before
  bool dry_run = false;
  bool publish = false;
};

struct ConfigurationRequest {
  FunctionConfig config;                           // the one given, changed
  std::string revision_id;                         // empty when the caller does not care
  std::optional<std::vector<std::string>> layers;  // ARNs; nothing leaves them as they are
};

// Bodies of CreateFunction, UpdateFunctionCode and UpdateFunctionConfiguration, checked as AWS
// checks them and refused with its messages; what this service does not do (images, S3,
// VPCs...) is refused by name.
std::expected<CreateRequest, ApiError> ParseCreate(std::string_view body, const Place& place,
                                                   const Machine& host);
std::expected<CodeRequest, ApiError> ParseCode(std::string_view body, const Machine& host);
std::expected<ConfigurationRequest, ApiError> ParseConfiguration(std::string_view body,
                                                                 const FunctionConfig& current);

}  // namespace kelvin::service
