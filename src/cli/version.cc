#include "cli/version.h"

#include <string>

#include "cli/arguments.h"
#include "cli/exit_code.h"

namespace kelvin::cli {

std::string_view ToolName() {
  return "kelvin " KELVIN_VERSION;
}

std::string_view ToolVersion() {
  return KELVIN_VERSION;
}

int Version(const std::vector<std::string>& arguments, const Host& host) {
  Arguments parser("version", "Prints the version.", "  kelvin version\n");
  if (auto parsed = parser.Parse(arguments); !parsed) return Report(host, parsed.error());
  host.out.write(std::string(ToolName()) + '\n');
  return kExitOk;
}

}  // namespace kelvin::cli
