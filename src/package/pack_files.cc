#include "package/pack_files.h"

#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

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

namespace {

bool IsProgram(const std::filesystem::path& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  char magic[4] = {};
  return file.valid() && ::read(file.get(), magic, sizeof magic) == sizeof magic &&
         std::string_view(magic, sizeof magic) == "\177ELF";
}

std::expected<PackEntry, Error> EntryOf(const std::filesystem::path& path, std::string name) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0) {
    return std::unexpected(ErrnoError(fmt::format("read {}", path.native()), errno));
  }
  PackEntry entry{.name = std::move(name), .source = path};
  if (S_ISLNK(info.st_mode)) {
    std::error_code failed;
    entry.link_target = std::filesystem::read_symlink(path, failed).native();
    if (failed) return std::unexpected(ErrnoError("read " + path.native(), failed.value()));
  } else if (!S_ISREG(info.st_mode)) {
    return std::unexpected(
        Error{ErrorCode::kInvalidArgument,
              fmt::format("expected files, folders and links to pack, {} is none of them; take it "
                          "out of the folder",
                          path.native())});
  }
  entry.executable = (info.st_mode & 0111) != 0;
  return entry;
}

}  // namespace

std::expected<std::vector<PackEntry>, Error> CollectEntries(const std::filesystem::path& path,
                                                            std::string_view prefix) {
  const std::filesystem::path below(prefix);
  std::vector<PackEntry> entries;
  std::error_code failed;
  if (!std::filesystem::is_directory(path, failed)) {
    const std::filesystem::path real = std::filesystem::canonical(path, failed);
    if (failed) return std::unexpected(ErrnoError("read " + path.native(), failed.value()));
    const std::filesystem::path name = IsProgram(real) ? "bootstrap" : path.filename();
    auto entry = EntryOf(real, (below / name).generic_string());
    if (!entry) return std::unexpected(std::move(entry.error()));
    entries.push_back(std::move(*entry));
    return entries;
  }
  for (auto at = std::filesystem::recursive_directory_iterator(path, failed);
       !failed && at != std::filesystem::recursive_directory_iterator(); at.increment(failed)) {
    if (at->is_directory() && !at->is_symlink()) continue;
    auto entry =
        EntryOf(at->path(), (below / at->path().lexically_relative(path)).generic_string());
    if (!entry) return std::unexpected(std::move(entry.error()));
    entries.push_back(std::move(*entry));
  }
  if (failed) return std::unexpected(ErrnoError("read " + path.native(), failed.value()));
  return entries;
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
