#include "cli/ready.h"

#include <limits>

#include <fmt/format.h>

#include "base/file.h"

namespace kelvin::cli {

void AddReadyOptions(Arguments& parser, ReadyOptions& options) {
  parser.app()
      .add_option("--ready-file", options.file, "File that gets the endpoint when it listens")
      ->type_name("FILE");
  parser
      .AddNumber("--ready-fd", options.fd, 0, std::numeric_limits<int>::max(),
                 "Open file descriptor that gets the endpoint")
      ->default_str("");
}

std::expected<void, Error> TellReady(const ReadyOptions& options, const std::string& url) {
  if (options.fd) {
    const UniqueFd fd(*options.fd);
    if (auto told = WriteAll(fd.get(), url + '\n'); !told) {
      told.error().message += fmt::format(" (--ready-fd {})", *options.fd);
      return told;
    }
  }
  if (options.file.empty()) return {};
  return WriteFileAtomically(options.file, url + '\n');
}

}  // namespace kelvin::cli
