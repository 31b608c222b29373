#include "package/archive_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "package/entry_name.h"
#include "package/libarchive.h"

namespace kelvin::package {
namespace {

std::unexpected<Error> Refused(std::string message) {
  return std::unexpected(Error{ErrorCode::kInvalidArgument, std::move(message)});
}

std::unexpected<Error> Damaged(archive* reader, std::string_view what) {
  return Refused(
      fmt::format("expected {} to be a whole archive, it cannot be read ({}); make it again", what,
                  ArchiveMessage(reader)));
}

ArchivePtr Open(std::string_view bytes, ArchiveFormat format) {
  ArchivePtr reader(archive_read_new());
  if (format == ArchiveFormat::kZip) {
    // Only the format that begins at the central directory: a zip cut short has none.
    archive_read_support_format_zip_seekable(reader.get());
  } else {
    archive_read_support_format_tar(reader.get());
    archive_read_support_filter_gzip(reader.get());
    archive_read_support_filter_zstd(reader.get());
  }
  archive_read_open_memory(reader.get(), bytes.data(), bytes.size());
  return reader;
}

std::expected<void, Error> ReadData(archive* reader, std::string_view what, ReadBudget& budget,
                                    std::string& content) {
  const void* block = nullptr;
  std::size_t size = 0;
  la_int64_t offset = 0;
  for (;;) {
    const int status = archive_read_data_block(reader, &block, &size, &offset);
    if (status == ARCHIVE_EOF) return {};
    if (status != ARCHIVE_OK || offset < 0) return Damaged(reader, what);
    // A sparse tar leaves holes, which count as much as what is in it.
    const std::uint64_t end = static_cast<std::uint64_t>(offset) + size;
    const std::uint64_t grown = end > content.size() ? end - content.size() : 0;
    if (grown > budget.bytes) {
      return std::unexpected(
          Error{ErrorCode::kResourceExhausted,
                fmt::format("expected {} to unpack to less, it is larger than is read", what)});
    }
    budget.bytes -= grown;
    content.resize(static_cast<std::size_t>(offset));
    content.append(static_cast<const char*>(block), size);
  }
}

}  // namespace

std::expected<void, Error> ReadArchive(std::string_view bytes, ArchiveFormat format,
                                       std::string_view what, ReadBudget& budget,
                                       const std::function<void(PackagedFile file)>& visit) {
  const Utf8Names utf8_names;
  const ArchivePtr reader = Open(bytes, format);
  for (;;) {
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(reader.get(), &entry);
    if (status == ARCHIVE_EOF) return {};
    if (status != ARCHIVE_OK) return Damaged(reader.get(), what);
    const char* path = archive_entry_pathname(entry);
    if (path == nullptr) return Refused(fmt::format("expected names in UTF-8 within {}", what));
    // An image's tar may say "/bin/x" and mean the same.
    std::string_view name = path;
    if (format == ArchiveFormat::kTar)
      name.remove_prefix(std::min(name.find_first_not_of('/'), name.size()));
    if (name.empty()) continue;
    const auto components = SplitEntryName(name);
    if (!components) return std::unexpected(components.error());
    if (budget.files == 0) {
      return std::unexpected(Error{
          ErrorCode::kResourceExhausted,
          fmt::format("expected {} to hold fewer entries, it holds more than are read", what)});
    }
    --budget.files;
    if (archive_entry_is_encrypted(entry) != 0) {
      return Refused(
          fmt::format("expected {} without a password, \"{}\" is encrypted", what, name));
    }
    PackagedFile file{.name = fmt::format("{}", fmt::join(*components, "/")),
                      .content = {},
                      .mode = archive_entry_perm(entry) & 07777U};
    const char* hard_link = archive_entry_hardlink(entry);
    const char* link = archive_entry_symlink(entry);
    if (hard_link != nullptr) {
      file.link_target = fmt::format("/{}", hard_link);
    } else if (archive_entry_filetype(entry) == AE_IFLNK && link != nullptr) {
      file.link_target = link;
    } else if (archive_entry_filetype(entry) != AE_IFREG) {
      continue;
    } else if (auto read = ReadData(reader.get(), what, budget, file.content); !read) {
      return read;
    }
    if (!file.name.empty()) visit(std::move(file));
  }
}

}  // namespace kelvin::package
