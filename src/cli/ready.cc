#include "cli/ready.h"

#include <fmt/format.h>

#include "base/file.h"

namespace kelvin::cli {

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
