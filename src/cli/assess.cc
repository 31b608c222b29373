#include "cli/assess.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/arguments.h"
#include "cli/exit_code.h"
#include "lab/report.h"
#include "lab/table.h"
#include "package/assess.h"

namespace kelvin::cli {
namespace {

constexpr std::string_view kExamples =
    "  kelvin assess packages/\n"
    "      every zip, image archive, program and folder in it: what blocks AOT, and which to move "
    "first\n"
    "  kelvin assess --markdown packages/ > matrix.md\n"
    "      the matrix for a document\n";

struct AssessArguments {
  std::string folder;
  package::InspectOptions options;
  bool json = false;
  bool markdown = false;
};

std::expected<AssessArguments, Stop> ParseAssess(const std::vector<std::string>& arguments) {
  AssessArguments parsed;
  Arguments parser("assess",
                   "Makes the compatibility matrix over the packages in a folder, and the order in "
                   "which to move them to AOT.",
                   std::string(kExamples));
  CLI::App& app = parser.app();
  app.add_option("DIR", parsed.folder, "Folder with packages: files, or a folder for each")
      ->required();
  app.add_option("--runtime", parsed.options.runtime, "provided.al2023 or provided.al2")
      ->capture_default_str();
  app.add_flag("--json", parsed.json, "Print JSON");
  app.add_flag("--markdown", parsed.markdown, "Print Markdown tables");
  if (auto done = parser.Parse(arguments); !done) return std::unexpected(done.error());
  return parsed;
}

// What is no package is passed over and named, so that one bad file does not hide the others.
std::expected<std::vector<package::InspectReport>, Error> InspectFolder(
    const AssessArguments& arguments, std::vector<std::string>& passed_over) {
  std::error_code failed;
  std::vector<std::filesystem::path> paths;
  for (auto at = std::filesystem::directory_iterator(arguments.folder, failed);
       !failed && at != std::filesystem::directory_iterator(); at.increment(failed)) {
    paths.push_back(at->path());
  }
  if (failed) return std::unexpected(ErrnoError("read " + arguments.folder, failed.value()));
  std::ranges::sort(paths);
  std::vector<package::InspectReport> reports;
  for (const std::filesystem::path& path : paths) {
    const auto contents = package::ReadContents(path);
    if (!contents) {
      passed_over.push_back(fmt::format("{}: {}", path.native(), contents.error().message));
      continue;
    }
    auto report = package::Inspect(*contents, arguments.options);
    if (!report) return std::unexpected(std::move(report.error()));
    report->source = path.filename().native();
    reports.push_back(std::move(*report));
  }
  if (reports.empty()) {
    return std::unexpected(
        Error{ErrorCode::kInvalidArgument,
              fmt::format("expected packages in {}, found none; build them, or name another folder",
                          arguments.folder)});
  }
  return reports;
}

std::string Mark(std::size_t count) {
  return count == 0 ? std::string("-") : std::to_string(count);
}

lab::Table Matrix(const std::vector<package::Assessment>& assessments) {
  using lab::Align;
  using package::Area;
  using package::Severity;
  lab::Table table;
  table.columns = {{"Package", Align::kLeft},   {"What", Align::kLeft}, {"Size"},
                   {"Will not start"},          {"Slow start"},         {"Blocks AOT"},
                   {"Readiness", Align::kLeft}, {"Rules", Align::kLeft}};
  for (const package::Assessment& assessment : assessments) {
    const package::InspectReport& report = assessment.report;
    table.rows.push_back(
        {report.source, report.identity.what, lab::FormatBytes(report.packed_bytes),
         Mark(report.Count(Area::kStart, Severity::kError)),
         Mark(report.Count(Area::kStartTime, Severity::kWarning)), Mark(assessment.places),
         std::string(package::ReadinessName(assessment.readiness)),
         fmt::format("{}", fmt::join(assessment.rules, " "))});
  }
  return table;
}

std::string Plan(const std::vector<package::Assessment>& assessments) {
  std::string text = "\nOrder of migration\n";
  int number = 0;
  for (const package::Assessment& assessment : assessments) {
    text += fmt::format("{}. {}: {}\n", ++number, assessment.report.source, assessment.advice);
  }
  return text;
}

}  // namespace

int Assess(const std::vector<std::string>& arguments, const Host& host) {
  const auto parsed = ParseAssess(arguments);
  if (!parsed) return Report(host, parsed.error());
  std::vector<std::string> passed_over;
  auto reports = InspectFolder(*parsed, passed_over);
  for (const std::string& why : passed_over) {
    host.err.write(fmt::format("kelvin: passed over {}\n", why));
  }
  if (!reports) return Fail(host, reports.error());
  const auto assessments = package::Assess(std::move(*reports));
  if (parsed->json) {
    host.out.write(package::AssessJson(assessments));
  } else if (parsed->markdown) {
    host.out.write(lab::RenderMarkdownTable(Matrix(assessments)) + Plan(assessments));
  } else {
    host.out.write(lab::RenderTable(Matrix(assessments), StyleOf(host)) + Plan(assessments));
  }
  return kExitOk;
}

}  // namespace kelvin::cli
