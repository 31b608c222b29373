#include "package/contents.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <sys/stat.h>

#include "base/file.h"
#include "package/archive_reader.h"
#include "package/image_reader.h"

namespace kelvin::package {
namespace {

std::unexpected<Error> Refused(std::string message) {
  return std::unexpected(Error{ErrorCode::kInvalidArgument, std::move(message)});
}

std::unexpected<Error> TooMuch(const std::filesystem::path& path) {
  return std::unexpected(
      Error{ErrorCode::kResourceExhausted,
            fmt::format("expected {} to hold less, it is larger than is read; name the folder of "
                        "the function alone",
                        path.native())});
}

void Complete(Contents& contents) {
  std::ranges::sort(contents.files, {}, &PackagedFile::name);
  for (const PackagedFile& file : contents.files) contents.unpacked_bytes += file.content.size();
  if (contents.packed_bytes == 0) contents.packed_bytes = contents.unpacked_bytes;
}

std::expected<Contents, Error> ReadZip(std::string_view bytes, std::string source,
                                       const ContentsLimits& limits) {
  Contents contents{.container = Container::kZip,
                    .source = std::move(source),
                    .packed_bytes = bytes.size(),
                    .unpacked_bytes = 0,
                    .files = {}};
  ReadBudget budget{.bytes = limits.max_bytes, .files = limits.max_files};
  auto read = ReadArchive(bytes, ArchiveFormat::kZip, contents.source, budget,
                          [&](PackagedFile file) { contents.files.push_back(std::move(file)); });
  if (!read) return std::unexpected(std::move(read.error()));
  std::set<std::string_view> names;
  for (const PackagedFile& file : contents.files) {
    if (!names.insert(file.name).second) {
      return Refused(fmt::format("expected each name once in the zip, got \"{}\" twice; pack again",
                                 file.name));
    }
  }
  return contents;
}

std::expected<void, Error> AddFromFolder(const std::filesystem::directory_entry& item,
                                         const std::filesystem::path& folder, ReadBudget& budget,
                                         Contents& contents) {
  struct stat info{};
  if (::lstat(item.path().c_str(), &info) != 0) {
    return std::unexpected(ErrnoError(fmt::format("read {}", item.path().native()), errno));
  }
  if (!S_ISREG(info.st_mode) && !S_ISLNK(info.st_mode)) return {};
  if (budget.files == 0 || static_cast<std::uint64_t>(info.st_size) > budget.bytes) {
    return TooMuch(folder);
  }
  --budget.files;
  PackagedFile file{.name = item.path().lexically_relative(folder).generic_string(),
                    .content = {},
                    .mode = info.st_mode & 07777U};
  if (S_ISLNK(info.st_mode)) {
    std::error_code failed;
    file.link_target = std::filesystem::read_symlink(item.path(), failed).native();
    if (failed) return std::unexpected(ErrnoError("read " + item.path().native(), failed.value()));
  } else {
    auto content = ReadFile(item.path(), budget.bytes);
    if (!content) return std::unexpected(std::move(content.error()));
    budget.bytes -= content->size();
    file.content = std::move(*content);
  }
  contents.files.push_back(std::move(file));
  return {};
}

std::expected<Contents, Error> ReadFolder(const std::filesystem::path& folder,
                                          const ContentsLimits& limits) {
  Contents contents{.container = Container::kFolder,
                    .source = folder.native(),
                    .packed_bytes = 0,
                    .unpacked_bytes = 0,
                    .files = {}};
  ReadBudget budget{.bytes = limits.max_bytes, .files = limits.max_files};
  std::error_code failed;
  for (auto at = std::filesystem::recursive_directory_iterator(folder, failed);
       !failed && at != std::filesystem::recursive_directory_iterator(); at.increment(failed)) {
    if (auto added = AddFromFolder(*at, folder, budget, contents); !added) {
      return std::unexpected(std::move(added.error()));
    }
  }
  if (failed) return std::unexpected(ErrnoError("read " + folder.native(), failed.value()));
  Complete(contents);
  return contents;
}

Contents OneFile(Container container, std::string bytes, std::string source) {
  Contents contents{.container = container,
                    .source = std::move(source),
                    .packed_bytes = bytes.size(),
                    .unpacked_bytes = 0,
                    .files = {}};
  contents.files.push_back({.name = std::filesystem::path(contents.source).filename().native(),
                            .content = std::move(bytes),
                            .mode = 0755});
  return contents;
}

bool IsTar(std::string_view bytes) {
  constexpr std::size_t kMagicAt = 257;
  return bytes.size() >= 512 && bytes.substr(kMagicAt, 5) == "ustar";
}

bool IsGzip(std::string_view bytes) {
  return bytes.starts_with("\x1f\x8b");
}

}  // namespace

std::string_view ContainerName(Container container) {
  switch (container) {
    case Container::kZip:
      return "zip";
    case Container::kFolder:
      return "folder";
    case Container::kElf:
      return "ELF file";
    case Container::kDll:
      return "dll";
    case Container::kImage:
      return "container image";
  }
  return "package";
}

const PackagedFile* Contents::Find(std::string_view name) const {
  const auto found = std::ranges::lower_bound(files, name, {}, &PackagedFile::name);
  return found != files.end() && found->name == name ? &*found : nullptr;
}

std::expected<Contents, Error> ReadContents(std::string bytes, std::string source,
                                            const ContentsLimits& limits) {
  std::expected<Contents, Error> contents;
  if (bytes.starts_with("PK\3\4") || bytes.starts_with("PK\5\6")) {
    contents = ReadZip(bytes, std::move(source), limits);
  } else if (bytes.starts_with("\177ELF")) {
    contents = OneFile(Container::kElf, std::move(bytes), std::move(source));
  } else if (bytes.starts_with("MZ")) {
    contents = OneFile(Container::kDll, std::move(bytes), std::move(source));
  } else if (IsTar(bytes) || IsGzip(bytes)) {
    contents = ReadImage(bytes, std::move(source), limits);
  } else {
    return Refused(fmt::format(
        "expected {} to be a zip, a folder, an ELF program, a .NET dll or an image archive, its "
        "first bytes are of none of them; name the package that you would deploy",
        source));
  }
  if (contents) Complete(*contents);
  return contents;
}

std::expected<Contents, Error> ReadContents(const std::filesystem::path& path,
                                            const ContentsLimits& limits) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    return ReadFolder(path, limits);
  }
  auto bytes = ReadFile(path, limits.max_bytes);
  if (!bytes) return std::unexpected(std::move(bytes.error()));
  struct stat info{};
  const bool executable = ::stat(path.c_str(), &info) == 0 && (info.st_mode & 0111) != 0;
  auto contents = ReadContents(std::move(*bytes), path.native(), limits);
  if (contents && contents->container == Container::kElf && !executable) {
    contents->files.front().mode = 0644;
  }
  return contents;
}

}  // namespace kelvin::package
