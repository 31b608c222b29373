#include "cli/inspect.h"

#include <optional>

#include <fmt/format.h>

#include "base/file.h"
#include "cli/arguments.h"
#include "cli/exit_code.h"
#include "cli/inspect_text.h"
#include "cli/version.h"
#include "package/inspect.h"
#include "package/inspect_report.h"

namespace kelvin::cli {
namespace {

constexpr std::string_view kExamples =
    "  kelvin inspect function.zip\n"
    "      what it is, where its bytes are, and what will hurt\n"
    "  kelvin inspect --runtime provided.al2 --arch arm64 build/bootstrap\n"
    "      against another runtime, for another processor\n"
    "  kelvin inspect --fail-on error --sarif out.sarif *.zip\n"
    "      for CI: exit code 1 when anything would not start, results for code scanning\n";

struct InspectArguments {
  std::vector<std::string> packages;
  package::InspectOptions options;
  bool json = false;
  bool all = false;
  std::string sarif;
  std::string fail_on = "never";
};

std::expected<InspectArguments, Stop> ParseInspect(const std::vector<std::string>& arguments) {
  InspectArguments parsed;
  Arguments parser("inspect",
                   "Says what a package is, where its bytes are, and what in it will keep it from "
                   "starting, slow it down, block AOT, or weaken it. docs/inspect.md lists the "
                   "rules.",
                   std::string(kExamples));
  CLI::App& app = parser.app();
  app.add_option("PACKAGE", parsed.packages,
                 "Zip, folder, ELF program, .NET dll, or image archive (OCI or docker save)")
      ->required();
  app.add_option("--runtime", parsed.options.runtime, "provided.al2023 or provided.al2")
      ->type_name("RUNTIME")
      ->capture_default_str();
  app.add_option("--arch", parsed.options.architecture,
                 "Processor of the function, x86_64 or arm64; default: that of its program")
      ->type_name("ARCH");
  app.add_flag("--layer-bootstrap", parsed.options.bootstrap_from_layer,
               "A layer brings the bootstrap, so the package needs none");
  app.add_flag("--json", parsed.json, "Print JSON");
  app.add_flag("--all", parsed.all, "Show every file and section");
  app.add_option("--sarif", parsed.sarif, "Write SARIF 2.1.0 to a file; - for standard output")
      ->type_name("FILE");
  app.add_option("--fail-on", parsed.fail_on,
                 "Exit code 1 when a finding is as bad: note, warning, error or never")
      ->check(CLI::IsMember({"note", "warning", "error", "never"}))
      ->capture_default_str();
  if (auto done = parser.Parse(arguments); !done) return std::unexpected(done.error());
  return parsed;
}

std::expected<std::vector<package::InspectReport>, Error> InspectAll(
    const InspectArguments& arguments) {
  std::vector<package::InspectReport> reports;
  for (const std::string& path : arguments.packages) {
    const auto contents = package::ReadContents(std::filesystem::path(path));
    if (!contents) return std::unexpected(contents.error());
    auto report = package::Inspect(*contents, arguments.options);
    if (!report) return std::unexpected(std::move(report.error()));
    reports.push_back(std::move(*report));
  }
  return reports;
}

bool Reaches(const std::vector<package::InspectReport>& reports, const std::string& fail_on) {
  const auto severity = package::ParseSeverity(fail_on);
  if (!severity) return false;
  for (const package::InspectReport& report : reports) {
    if (!report.findings.empty() && report.Worst() >= *severity) return true;
  }
  return false;
}

}  // namespace

int Inspect(const std::vector<std::string>& arguments, const Host& host) {
  const auto parsed = ParseInspect(arguments);
  if (!parsed) return Report(host, parsed.error());
  const auto reports = InspectAll(*parsed);
  if (!reports) return Fail(host, kExitUsage, reports.error().message);
  constexpr std::size_t kShown = 8;
  if (parsed->sarif == "-") {
    host.out.write(package::InspectSarif(*reports, ToolVersion()));
  } else if (parsed->json) {
    host.out.write(package::InspectJson(*reports));
  } else {
    for (const package::InspectReport& report : *reports) {
      if (&report != &reports->front()) host.out.write("\n");
      host.out.write(InspectText(report, parsed->all ? SIZE_MAX : kShown, StyleOf(host)));
    }
  }
  if (!parsed->sarif.empty() && parsed->sarif != "-") {
    auto written =
        WriteFileAtomically(parsed->sarif, package::InspectSarif(*reports, ToolVersion()));
    if (!written) return Fail(host, written.error());
  }
  return Reaches(*reports, parsed->fail_on) ? kExitFinding : kExitOk;
}

}  // namespace kelvin::cli
