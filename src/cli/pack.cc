#include "cli/pack.h"

#include <fmt/format.h>

#include "cli/arguments.h"
#include "cli/exit_code.h"
#include "lab/report.h"
#include "package/pack_files.h"

namespace kelvin::cli {
namespace {

constexpr std::string_view kExamples =
    "  kelvin pack --output function.zip --file bootstrap=build/bootstrap\n"
    "      a package for provided.al2023\n"
    "  kelvin pack --output function.zip --file bootstrap=build/bootstrap --file "
    "conf/a.json=a.json\n"
    "      with another file, found at /var/task/conf/a.json\n";

}  // namespace

int Pack(const std::vector<std::string>& arguments, const Host& host) {
  std::string output;
  std::vector<std::string> files;
  Arguments parser("pack",
                   "Makes a zip whose bytes depend only on the names, contents and executable bits "
                   "of the files.",
                   std::string(kExamples));
  parser.app().add_option("--output", output, "The zip to write")->type_name("ZIP")->required();
  parser.app()
      .add_option("--file", files, "Name in the zip, and the file; as often as needed")
      ->type_name("NAME=PATH")
      ->required();
  if (auto parsed = parser.Parse(arguments); !parsed) return Report(host, parsed.error());
  const auto packed = package::PackFiles(files, output);
  if (!packed) return Fail(host, packed.error());
  host.out.write(fmt::format("{} ({})\n", output, lab::FormatBytes(*packed)));
  return kExitOk;
}

}  // namespace kelvin::cli
