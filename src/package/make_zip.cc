#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/file.h"
#include "package/entry_name.h"
#include "package/libarchive.h"
#include "package/zip.h"

namespace kelvin::package {
namespace {

Error Refused(std::string message) {
  return Error{ErrorCode::kInvalidArgument, std::move(message)};
}

std::expected<void, Error> CheckNames(const std::vector<PackEntry>& sorted) {
  std::set<std::string_view> names;
  for (const PackEntry& entry : sorted) {
    auto components = SplitEntryName(entry.name);
    if (!components) return std::unexpected(std::move(components.error()));
    if (fmt::format("{}", fmt::join(*components, "/")) != entry.name) {
      return std::unexpected(Refused(
          fmt::format("expected a plain name such as \"lib/data.bin\", got \"{}\"", entry.name)));
    }
    if (!names.insert(entry.name).second) {
      return std::unexpected(
          Refused(fmt::format("expected each name once, got \"{}\" twice", entry.name)));
    }
  }
  for (const PackEntry& entry : sorted) {
    const std::string_view name = entry.name;
    for (std::size_t at = name.find('/'); at != name.npos; at = name.find('/', at + 1)) {
      if (names.contains(name.substr(0, at))) {
        return std::unexpected(Refused(fmt::format(
            "\"{}\" cannot be a file and the folder of \"{}\"", name.substr(0, at), name)));
      }
    }
  }
  return {};
}

la_ssize_t AppendToString(archive*, void* target, const void* bytes, std::size_t size) {
  static_cast<std::string*>(target)->append(static_cast<const char*>(bytes), size);
  return static_cast<la_ssize_t>(size);
}

Error WriterError(archive* writer) {
  return Error{ErrorCode::kInternal,
               fmt::format("cannot make the zip: {}", ArchiveMessage(writer))};
}

std::expected<void, Error> AddEntry(archive* writer, const PackEntry& entry) {
  auto content = ReadFile(entry.source);
  if (!content) return std::unexpected(std::move(content.error()));
  const EntryPtr header(archive_entry_new());
  archive_entry_set_pathname(header.get(), entry.name.c_str());
  archive_entry_set_filetype(header.get(), AE_IFREG);
  archive_entry_set_perm(header.get(), entry.executable ? 0755 : 0644);
  archive_entry_set_size(header.get(), static_cast<la_int64_t>(content->size()));
  if (archive_write_header(writer, header.get()) != ARCHIVE_OK ||
      archive_write_data(writer, content->data(), content->size()) !=
          static_cast<la_ssize_t>(content->size()) ||
      archive_write_finish_entry(writer) != ARCHIVE_OK) {
    return std::unexpected(WriterError(writer));
  }
  return {};
}

}  // namespace

std::expected<std::string, Error> MakeZip(const std::vector<PackEntry>& entries) {
  std::vector<PackEntry> sorted = entries;
  std::ranges::sort(sorted, {}, &PackEntry::name);
  if (auto checked = CheckNames(sorted); !checked) {
    return std::unexpected(std::move(checked.error()));
  }

  const Utf8Names utf8_names;
  std::string zip;  // outlives the writer, whose clean-up may still append
  const ArchivePtr writer(archive_write_new());
  // No time stamp is set: libarchive then writes 1980-01-01, whatever the time zone.
  if (archive_write_set_format_zip(writer.get()) != ARCHIVE_OK ||
      archive_write_set_options(writer.get(), "zip:compression=deflate,zip:compression-level=9") !=
          ARCHIVE_OK ||
      archive_write_set_bytes_in_last_block(writer.get(), 1) != ARCHIVE_OK ||
      archive_write_open(writer.get(), &zip, nullptr, AppendToString, nullptr) != ARCHIVE_OK) {
    return std::unexpected(WriterError(writer.get()));
  }
  for (const PackEntry& entry : sorted) {
    if (auto added = AddEntry(writer.get(), entry); !added) {
      return std::unexpected(std::move(added.error()));
    }
  }
  if (archive_write_close(writer.get()) != ARCHIVE_OK) {
    return std::unexpected(WriterError(writer.get()));
  }
  return zip;
}

}  // namespace kelvin::package
