#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/function_spec.h"

namespace kelvin::deploy {

enum class TemplateFormat { kCloudFormation, kSam, kTerraform };
std::optional<TemplateFormat> ParseTemplateFormat(std::string_view name);

struct TemplateInput {
  std::vector<FunctionSpec> functions;
  std::vector<TableSpec> tables;
};

// A template that creates functions, roles that allow only what each uses, tables with time to
// live, log groups with retention, versions and aliases. CloudFormation and SAM as YAML; Terraform
// in its JSON syntax, for a file that ends in .tf.json. Where packages lie in S3, or images in a
// registry, is asked for as parameters.
std::string MakeTemplate(const TemplateInput& input, TemplateFormat format);

}  // namespace kelvin::deploy
