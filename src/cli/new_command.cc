#include "cli/new_command.h"

#include <filesystem>

#include <fmt/format.h>

#include "base/file.h"
#include "cli/arguments.h"
#include "cli/exit_code.h"
#include "cli/scaffold.h"

namespace kelvin::cli {
namespace {

constexpr std::string_view kExamples =
    "  kelvin new orders\n"
    "      a function that takes and gives JSON, in the folder orders\n"
    "  kelvin new orders --from create-item\n"
    "      one that writes to a DynamoDB table, with its tests\n"
    "  kelvin new services/orders --from stream\n"
    "      one that sends its response while it makes it, in services/orders\n";

std::string ListOfTemplates() {
  std::string text = "Examples to start from:\n";
  for (const Template& it : Templates()) {
    text += fmt::format("  {:14}{}\n", it.name, it.summary);
  }
  return text;
}

std::expected<void, Error> WriteProject(const std::filesystem::path& folder,
                                        const std::map<std::string, std::string>& files) {
  std::error_code error;
  if (std::filesystem::exists(folder, error) && !std::filesystem::is_empty(folder, error)) {
    return std::unexpected(
        Error{ErrorCode::kInvalidArgument,
              fmt::format("expected a folder that is new or empty, got {}, which is neither; give "
                          "another name, or move it away",
                          folder.native())});
  }
  std::filesystem::create_directories(folder, error);
  if (error) {
    return std::unexpected(
        Error{ErrorCode::kUnavailable,
              fmt::format("cannot make the folder {}: {}", folder.native(), error.message())});
  }
  for (const auto& [name, text] : files) {
    if (auto written = WriteFileAtomically(folder / name, text); !written) return written;
  }
  return {};
}

}  // namespace

int New(const std::vector<std::string>& arguments, const Host& host) {
  std::string place;
  std::string from = "hello";
  Arguments parser("new", "Writes a new function: sources, tests, CMakeLists.txt, kelvin.toml.",
                   std::string(kExamples) + ListOfTemplates());
  CLI::App& app = parser.app();
  app.add_option("FOLDER", place, "Where to; its last part is the function's name")->required();
  app.add_option("--from", from, "Example to start from")
      ->type_name("EXAMPLE")
      ->capture_default_str();
  if (auto parsed = parser.Parse(arguments); !parsed) return Report(host, parsed.error());
  const std::filesystem::path folder =
      std::filesystem::path(place.ends_with('/') ? place.substr(0, place.size() - 1) : place);
  const auto files = NewProject(folder.filename().native(), from);
  if (!files) return Fail(host, files.error());
  if (auto written = WriteProject(folder, *files); !written) return Fail(host, written.error());
  host.out.write(
      fmt::format("{0} is there, made from {1}. Build, test and measure it:\n"
                  "  cd {0}\n"
                  "  cmake -B build    # with -DKELVIN_SOURCE=FOLDER when Kelvin is not installed\n"
                  "  cmake --build build && ctest --test-dir build\n"
                  "  kelvin compare\n",
                  folder.native(), from));
  return kExitOk;
}

}  // namespace kelvin::cli
