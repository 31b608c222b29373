#include "cli/template_command.h"

#include <fmt/format.h>

#include "base/file.h"
#include "cli/exit_code.h"
#include "cli/function_specs.h"

namespace kelvin::cli {
namespace {

constexpr std::string_view kExamples =
    "  kelvin template --format cloudformation > template.yaml\n"
    "      every function of kelvin.toml, its tables, roles, logs and aliases\n"
    "  kelvin template --format sam create-item > template.yaml\n"
    "  kelvin template --format terraform --output functions.tf.json\n"
    "  kelvin template --format cloudformation --strategy image hello\n"
    "      as a container image from ECR\n";

}  // namespace

int Template(const std::vector<std::string>& arguments, const Host& host) {
  SpecOptions options;
  std::string format;
  std::string output;
  Arguments parser("template",
                   "Writes a template for AWS: functions, roles that allow only what each uses, "
                   "tables with time to live, logs with retention, aliases.",
                   std::string(kExamples));
  AddSpecOptions(parser, options);
  parser.app()
      .add_option("--format", format, "cloudformation, sam or terraform (JSON syntax)")
      ->required()
      ->check(CLI::IsMember({"cloudformation", "sam", "terraform"}));
  parser.app()
      .add_option("--strategy", options.strategy,
                  "managed runtime, custom runtime or container image; default: by the package")
      ->check(CLI::IsMember({"managed", "custom", "image"}));
  parser.app()
      .add_option("--output", output, "File to write; default: standard output")
      ->type_name("FILE");
  if (auto parsed = parser.Parse(arguments); !parsed) return Report(host, parsed.error());
  const auto specified = ReadSpecs(options);
  if (!specified) return Fail(host, specified.error());
  deploy::TemplateInput input{.functions = {}, .tables = specified->tables};
  for (const SpecifiedFunction& function : specified->functions) {
    for (const deploy::LayerSpec& layer : function.layers) {
      if (!layer.arn.empty()) continue;
      return Fail(host, kExitUsage,
                  fmt::format("expected the ARN of a version of layer {}, which {} needs: publish "
                              "it with 'aws lambda publish-layer-version' or 'kelvin deploy', and "
                              "name it with --layer",
                              layer.name, function.spec.name));
    }
    input.functions.push_back(function.spec);
  }
  const std::string text = deploy::MakeTemplate(input, *deploy::ParseTemplateFormat(format));
  if (output.empty()) {
    host.out.write(text);
    return kExitOk;
  }
  auto written = WriteFileAtomically(output, text);
  return written ? kExitOk : Fail(host, written.error());
}

}  // namespace kelvin::cli
