// kelvin_pack: makes a function's zip at build time.
#include <cstdio>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "package/pack_files.h"

int main(int argc, char** argv) {
  CLI::App app("Makes a zip that depends only on the names, bytes and executable bits packed.");
  std::string output;
  std::vector<std::string> files;
  app.add_option("--output", output, "The zip to write")->required();
  app.add_option("--file", files, "NAME=PATH: the name in the zip and where the bytes are")
      ->required();
  CLI11_PARSE(app, argc, argv);
  if (const auto packed = kelvin::package::PackFiles(files, output); !packed) {
    fmt::print(stderr, "kelvin_pack: {}\n", packed.error().message);
    return 1;
  }
  return 0;
}
