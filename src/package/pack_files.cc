#include "package/pack_files.h"

#include <cerrno>

#include <fmt/format.h>
#include <sys/stat.h>

#include "base/file.h"

namespace kelvin::package {

std::expected<PackEntry, Error> ParsePackEntry(std::string_view argument) {
  const std::size_t equals = argument.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return std::unexpected(Error{
        ErrorCode::kInvalidArgument,
        fmt::format("expected --file NAME=PATH, such as bootstrap=build/bootstrap, got \"{}\"",
                    argument)});
  }
  PackEntry entry{.name = std::string(argument.substr(0, equals)),
                  .source = argument.substr(equals + 1)};
  struct stat info{};
  if (::stat(entry.source.c_str(), &info) != 0) {
    return std::unexpected(ErrnoError(fmt::format("read {}", entry.source.native()), errno));
  }
  entry.executable = (info.st_mode & 0111) != 0;
  return entry;
}

std::expected<std::size_t, Error> PackFiles(const std::vector<std::string>& arguments,
                                            const std::filesystem::path& output) {
  std::vector<PackEntry> entries;
  for (const std::string& argument : arguments) {
    auto entry = ParsePackEntry(argument);
    if (!entry) return std::unexpected(std::move(entry.error()));
    entries.push_back(std::move(*entry));
  }
  const auto zip = MakeZip(entries);
  if (!zip) return std::unexpected(zip.error());
  if (auto written = WriteFileAtomically(output, *zip); !written) {
    return std::unexpected(std::move(written.error()));
  }
  return zip->size();
}

}  // namespace kelvin::package
