#include "cli/scaffold.h"

#include <algorithm>
#include <regex>

#include <fmt/format.h>

#include "cli/suggest.h"

namespace kelvin::cli {
namespace {

constexpr std::size_t kMaxNameLength = 64;  // of a function

bool IsFunctionName(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  return !name.empty() && name.size() <= kMaxNameLength && name.front() != '-' &&
         std::ranges::all_of(name, fits);
}

std::string WithUnderscores(std::string_view name) {
  std::string text(name);
  std::ranges::replace(text, '-', '_');
  return text;
}

// "send" and "delete" are names of functions, and no namespaces.
std::string NamespaceOf(std::string_view name) {
  const bool starts_with_digit = name.front() >= '0' && name.front() <= '9';
  return (starts_with_digit ? "function_" : "") + WithUnderscores(name) + "_function";
}

std::string Renamed(std::string_view text, std::string_view from, std::string_view to) {
  const std::regex declared(fmt::format("\\bnamespace {}\\b", from));
  const std::regex used(fmt::format("(^|[^A-Za-z0-9_:]){}::", from));
  const std::string once =
      std::regex_replace(std::string(text), declared, fmt::format("namespace {}", to));
  return std::regex_replace(once, used, fmt::format("$1{}::", to));
}

struct Sources {
  std::string program;
  std::string tests;  // with what they test
  bool calls_aws = false;
};

Sources SourcesOf(const Template& from) {
  Sources sources;
  for (const auto& file : from.files) {
    if (!file.name.ends_with(".cc")) continue;
    const bool is_test = file.name.ends_with("_test.cc");
    if (!is_test) fmt::format_to(std::back_inserter(sources.program), " {}", file.name);
    if (file.name != "main.cc") fmt::format_to(std::back_inserter(sources.tests), " {}", file.name);
    if (file.text.find("\"aws/") != std::string_view::npos) sources.calls_aws = true;
  }
  return sources;
}

std::string CMakeLists(std::string_view name, const Template& from) {
  constexpr std::string_view kText = R"(cmake_minimum_required(VERSION 3.25)
project({name} LANGUAGES C CXX)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

# Kelvin from where 'make install' put it, or from its sources: -DKELVIN_SOURCE=FOLDER.
if(KELVIN_SOURCE)
  add_subdirectory(${{KELVIN_SOURCE}} kelvin EXCLUDE_FROM_ALL)
else()
  find_package(kelvin 0.1 REQUIRED)
endif()

# build/packages/{name}-aot.zip, and the same in the modes jit and r2r.
kelvin_add_function({name}
  SOURCES{program}
  LIBS {libraries}
  MODES aot r2r jit)

find_package(GTest)
if(TARGET GTest::gmock_main)  # Debian: libgtest-dev and libgmock-dev
  enable_testing()
  add_executable({name}_test{tests})
  target_link_libraries({name}_test PRIVATE {libraries} GTest::gmock_main)
  add_test(NAME {name}_test COMMAND {name}_test)
endif()
)";
  const Sources sources = SourcesOf(from);
  return fmt::format(
      kText, fmt::arg("name", name), fmt::arg("program", sources.program),
      fmt::arg("tests", sources.tests),
      fmt::arg("libraries", sources.calls_aws ? "kelvin::runtime kelvin::aws" : "kelvin::runtime"));
}

std::string Configuration(std::string_view name, const Template& from) {
  constexpr std::string_view kTable = R"([[table]]
name = "items"
hash_key = { name = "Id", type = "S" }

)";
  constexpr std::string_view kText =
      R"(# What 'kelvin compare' measures, and 'kelvin deploy' deploys.

{table}[[function]]
name = "{name}"
memory = 128
timeout = 10
event = "event.json"
{environment}packages.jit = "build/packages/{name}-jit.zip"
packages.r2r = "build/packages/{name}-r2r.zip"
packages.aot = "build/packages/{name}-aot.zip"
)";
  const bool has_table = SourcesOf(from).calls_aws;
  return fmt::format(
      kText, fmt::arg("name", name), fmt::arg("table", has_table ? kTable : ""),
      fmt::arg("environment", has_table ? "environment = { TABLE_NAME = \"items\" }\n" : ""));
}

std::expected<const Template*, Error> Find(std::string_view name) {
  const auto found = std::ranges::find(Templates(), name, &Template::name);
  if (found != Templates().end()) return &*found;
  std::vector<std::string> names;
  for (const Template& it : Templates()) names.emplace_back(it.name);
  return std::unexpected(Error{ErrorCode::kInvalidArgument,
                               fmt::format("expected one of {} to start from, got '{}'{}",
                                           fmt::join(names, ", "), name, DidYouMean(name, names))});
}

}  // namespace

std::expected<std::map<std::string, std::string>, Error> NewProject(std::string_view name,
                                                                    std::string_view from) {
  if (!IsFunctionName(name)) {
    return std::unexpected(
        Error{ErrorCode::kInvalidArgument,
              fmt::format("expected the name of a function: up to {} letters, digits, hyphens and "
                          "underscores, not a hyphen first; got '{}'",
                          kMaxNameLength, name)});
  }
  const auto found = Find(from);
  if (!found) return std::unexpected(found.error());
  const Template& source = **found;
  std::map<std::string, std::string> files;
  for (const auto& file : source.files) {
    files.emplace(file.name, Renamed(file.text, WithUnderscores(from), NamespaceOf(name)));
  }
  files.emplace("CMakeLists.txt", CMakeLists(name, source));
  files.emplace("kelvin.toml", Configuration(name, source));
  files.emplace(".gitignore", "/build/\n/out/\n/.kelvin/\n");
  return files;
}

}  // namespace kelvin::cli
