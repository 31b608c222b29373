#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "aws/lambda_client.h"
#include "base/error.h"

namespace kelvin::aws {

// The bodies of Lambda's API. Parsers take any text and fail with kCorrupt when it is not what
// Lambda sends; fields they do not know are passed over.

// The answer of CreateFunction and UpdateFunctionConfiguration: a configuration.
std::expected<FunctionConfiguration, Error> ParseFunctionConfiguration(std::string_view body);
// The answer of GetFunction: a configuration with code and tags around it.
std::expected<FunctionConfiguration, Error> ParseGetFunction(std::string_view body);

struct FunctionPage {
  std::vector<FunctionConfiguration> functions;
  std::string next_marker;  // empty on the last page
};
std::expected<FunctionPage, Error> ParseListFunctions(std::string_view body);

// The ARN in the answer of PublishLayerVersion.
std::expected<std::string, Error> ParsePublishLayer(std::string_view body);

std::string PublishLayerBody(std::string_view zip);
std::string CreateFunctionBody(const CreateFunctionInput& input);
std::string UpdateConfigurationBody(const UpdateConfigurationInput& input);

}  // namespace kelvin::aws
