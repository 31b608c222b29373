#include "cli/rollback_command.h"

#include <fmt/format.h>

#include "cli/deploy_target.h"
#include "cli/exit_code.h"

namespace kelvin::cli {
namespace {

constexpr std::string_view kExamples =
    "  kelvin rollback create-item\n"
    "      the alias back to the version before, and any rollout ended\n"
    "  kelvin rollback create-item --to 3 --endpoint-url http://127.0.0.1:9001\n";

}  // namespace

int Rollback(const std::vector<std::string>& arguments, const Host& host) {
  std::string function;
  std::string alias = "live";
  std::string to;
  Target where;
  Arguments parser("rollback", "Points a function's alias back at an older version.",
                   std::string(kExamples));
  parser.app().add_option("FUNCTION", function, "Name")->required();
  parser.app().add_option("--alias", alias, "Alias")->capture_default_str();
  parser.app().add_option("--to", to, "Version; default: the one before")->type_name("VERSION");
  AddTargetOptions(parser, where);
  if (auto parsed = parser.Parse(arguments); !parsed) return Report(host, parsed.error());
  auto target = OpenTarget(host, where);
  if (!target) return Fail(host, target.error());
  deploy::Lambda lambda(*target->api);
  const auto version = deploy::Rollback(lambda, function, alias,
                                        to.empty() ? std::nullopt : std::optional<std::string>(to));
  if (!version) return Fail(host, kExitEnvironment, DeployFailure(version.error(), *target));
  host.out.write(fmt::format("alias {} of {} is at version {}\n", alias, function, *version));
  return kExitOk;
}

}  // namespace kelvin::cli
