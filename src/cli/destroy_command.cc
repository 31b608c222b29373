#include "cli/destroy_command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/deploy_target.h"
#include "cli/exit_code.h"

namespace kelvin::cli {
namespace {

constexpr std::string_view kExamples =
    "  kelvin destroy create-item --yes\n"
    "      the function with its versions, alias and URL, and the role that deploy made; tables "
    "and "
    "logs stay\n";

}  // namespace

int Destroy(const std::vector<std::string>& arguments, const Host& host) {
  std::string function;
  std::string alias = "live";
  Target where;
  bool yes = false;
  Arguments parser("destroy", "Deletes what deploy made for a function.", std::string(kExamples));
  parser.app().add_option("FUNCTION", function, "Name")->required();
  parser.app().add_option("--alias", alias, "Alias")->capture_default_str();
  parser.app().add_flag("--yes", yes, "Do it; without, only say what would be deleted");
  AddTargetOptions(parser, where);
  if (auto parsed = parser.Parse(arguments); !parsed) return Report(host, parsed.error());
  auto target = OpenTarget(host, where);
  if (!target) return Fail(host, target.error());
  deploy::Lambda lambda(*target->api);
  const auto found = lambda.Get(function);
  if (!found) return Fail(host, kExitEnvironment, DeployFailure(found.error(), *target));
  if (!*found) {
    host.out.write(fmt::format("{}: there is no such function ({})\n", function, target->where));
    if (!yes) return kExitOk;
  } else if (!yes) {
    host.out.write(fmt::format("would delete {} with all its versions ({}); add --yes to do it\n",
                               function, target->where));
    return kExitOk;
  }
  std::vector<std::string> done;
  const auto gone = deploy::Destroy(*target->api, lambda, function, alias, target->place, done);
  for (const std::string& step : done) host.out.write(step + "\n");
  if (!gone) {
    return Fail(host, kExitEnvironment,
                DeployFailure(gone.error(), *target) + "; run the same command again to go on");
  }
  return kExitOk;
}

}  // namespace kelvin::cli
