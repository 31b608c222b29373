// kelvin_pack: makes a function's zip at build time.
#include <cstdio>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/stat.h>

#include "base/file.h"
#include "package/zip.h"

namespace {

using kelvin::Error;
using kelvin::ErrorCode;
using kelvin::package::PackEntry;

std::expected<PackEntry, Error> ParseFile(const std::string& argument) {
  const std::size_t equals = argument.find('=');
  if (equals == std::string::npos) {
    return std::unexpected(Error{ErrorCode::kInvalidArgument,
                                 fmt::format("expected --file NAME=PATH, got \"{}\"", argument)});
  }
  PackEntry entry{.name = argument.substr(0, equals), .source = argument.substr(equals + 1)};
  struct stat info{};
  if (::stat(entry.source.c_str(), &info) != 0) {
    return std::unexpected(
        kelvin::ErrnoError(fmt::format("read {}", entry.source.native()), errno));
  }
  entry.executable = (info.st_mode & 0111) != 0;
  return entry;
}

std::expected<void, Error> Pack(const std::vector<std::string>& files, const std::string& output) {
  std::vector<PackEntry> entries;
  for (const std::string& file : files) {
    auto entry = ParseFile(file);
    if (!entry) return std::unexpected(std::move(entry.error()));
    entries.push_back(std::move(*entry));
  }
  auto zip = kelvin::package::MakeZip(entries);
  if (!zip) return std::unexpected(std::move(zip.error()));
  return kelvin::WriteFileAtomically(output, *zip);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Makes a zip that depends only on the names, bytes and executable bits packed.");
  std::string output;
  std::vector<std::string> files;
  app.add_option("--output", output, "The zip to write")->required();
  app.add_option("--file", files, "NAME=PATH: the name in the zip and where the bytes are")
      ->required();
  CLI11_PARSE(app, argc, argv);
  if (auto packed = Pack(files, output); !packed) {
    fmt::print(stderr, "kelvin_pack: {}\n", packed.error().message);
    return 1;
  }
  return 0;
}
