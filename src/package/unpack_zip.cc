#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "package/entry_name.h"
#include "package/libarchive.h"
#include "package/zip.h"

namespace kelvin::package {
namespace {

using Components = std::vector<std::string_view>;

Error Refused(std::string message) {
  return Error{ErrorCode::kInvalidArgument, std::move(message)};
}

// Writes entries below one folder. Every step of a path is opened by itself and never through a
// link, so that whatever the zip has made before, nothing lands outside.
class Unpacker {
 public:
  Unpacker(const std::filesystem::path& folder, const ZipLimits& limits)
      : folder_(folder),
        limits_(limits),
        root_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {}

  std::expected<UnpackedZip, Error> Run(std::string_view zip) {
    // Functions run as another user than the one who unpacks.
    if (!root_.valid() || ::fchmod(root_.get(), 0755) != 0) {
      return std::unexpected(Failed("open", ""));
    }
    const Utf8Names utf8_names;
    const ArchivePtr reader(archive_read_new());
    // Only the format that begins at the central directory: a zip cut short has none.
    if (archive_read_support_format_zip_seekable(reader.get()) != ARCHIVE_OK ||
        archive_read_open_memory(reader.get(), zip.data(), zip.size()) != ARCHIVE_OK) {
      return std::unexpected(NotAZip(reader.get()));
    }
    for (;;) {
      archive_entry* entry = nullptr;
      const int status = archive_read_next_header(reader.get(), &entry);
      if (status == ARCHIVE_EOF) return unpacked_;
      if (status != ARCHIVE_OK) return std::unexpected(NotAZip(reader.get()));
      if (auto done = UnpackEntry(reader.get(), entry); !done) {
        return std::unexpected(std::move(done.error()));
      }
    }
  }

  // Nothing stays behind after a failure.
  void EmptyTheFolder() const {
    std::error_code ignored;
    for (const auto& item : std::filesystem::directory_iterator(folder_, ignored)) {
      std::filesystem::remove_all(item.path(), ignored);
    }
  }

 private:
  static Error NotAZip(archive* reader) {
    return Refused(
        fmt::format("expected a whole zip file, got one that cannot be read ({}); "
                    "make it again, and upload all of it",
                    ArchiveMessage(reader)));
  }

  // From errno.
  Error Failed(std::string_view doing, std::string_view name) const {
    const int number = errno;
    return Explained(ErrnoError(fmt::format("{} {}", doing, (folder_ / name).native()), number));
  }

  Error Explained(Error error) const {
    if (error.code == ErrorCode::kResourceExhausted) {
      error.message += fmt::format(
          "; free space on the file system of {}, for example by deleting functions or old files "
          "there, and try again",
          folder_.native());
    }
    return error;
  }

  std::expected<void, Error> UnpackEntry(archive* reader, archive_entry* entry) {
    const char* path = archive_entry_pathname(entry);
    if (path == nullptr) return std::unexpected(Refused("expected names in UTF-8 within the zip"));
    const std::string name = path;
    const auto components = SplitEntryName(name);
    if (!components) return std::unexpected(components.error());
    if (++entries_ > limits_.max_entries) {
      return std::unexpected(
          Error{ErrorCode::kResourceExhausted,
                fmt::format("expected a zip with at most {} entries, got more; pack fewer files",
                            limits_.max_entries)});
    }
    if (archive_entry_is_encrypted(entry) != 0) {
      return std::unexpected(
          Refused(fmt::format("expected a zip without a password, got \"{}\" encrypted", name)));
    }
    switch (archive_entry_filetype(entry)) {
      case AE_IFDIR: {
        auto made = OpenFolder(*components, components->size(), name);
        if (!made) return std::unexpected(std::move(made.error()));
        return {};
      }
      case AE_IFREG:
        return UnpackFile(reader, entry, *components, name);
      case AE_IFLNK:
        return UnpackLink(entry, *components, name);
      default:
        return std::unexpected(Refused(fmt::format(
            "expected only files, folders and links in the zip, got \"{}\", which is neither",
            name)));
    }
  }

  // Opens the folder of the first `count` components, making what is missing.
  std::expected<UniqueFd, Error> OpenFolder(const Components& components, std::size_t count,
                                            std::string_view name) {
    UniqueFd folder(::fcntl(root_.get(), F_DUPFD_CLOEXEC, 0));
    if (!folder.valid()) return std::unexpected(Failed("open", name));
    for (std::size_t i = 0; i < count; ++i) {
      const std::string step(components[i]);
      const bool made = ::mkdirat(folder.get(), step.c_str(), 0755) == 0;
      if (!made && errno != EEXIST) return std::unexpected(Failed("create", name));
      UniqueFd next(
          ::openat(folder.get(), step.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!next.valid() && (errno == ENOTDIR || errno == ELOOP)) {
        return std::unexpected(Refused(fmt::format(
            "expected \"{}\" of the name \"{}\" to be a folder, the zip has it as something else",
            step, name)));
      }
      // By fchmod, so that the process's umask has no say.
      if (!next.valid() || (made && ::fchmod(next.get(), 0755) != 0)) {
        return std::unexpected(Failed("open", name));
      }
      folder = std::move(next);
    }
    return folder;
  }

  std::expected<UniqueFd, Error> OpenParent(const Components& components, std::string_view name) {
    if (components.empty()) {
      return std::unexpected(Refused(fmt::format("expected the name of a file, got \"{}\"", name)));
    }
    return OpenFolder(components, components.size() - 1, name);
  }

  Error CannotCreate(std::string_view name) const {
    if (errno == EEXIST) {
      return Refused(fmt::format("expected each name once in the zip, got \"{}\" twice", name));
    }
    return Failed("create", name);
  }

  std::expected<void, Error> UnpackFile(archive* reader, archive_entry* entry,
                                        const Components& components, const std::string& name) {
    const unsigned int mode = archive_entry_mode(entry);
    if ((mode & (S_ISUID | S_ISGID)) != 0) {
      return std::unexpected(Refused(fmt::format(
          "expected files without the setuid and setgid bits, got \"{}\" with them", name)));
    }
    if (archive_entry_hardlink(entry) != nullptr) {
      return std::unexpected(
          Refused(fmt::format("expected no hard links in the zip, got \"{}\"", name)));
    }
    auto parent = OpenParent(components, name);
    if (!parent) return std::unexpected(std::move(parent.error()));
    const UniqueFd file(::openat(parent->get(), std::string(components.back()).c_str(),
                                 O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file.valid()) return std::unexpected(CannotCreate(name));
    if (auto copied = CopyData(reader, file.get(), name); !copied) return copied;
    if (::fchmod(file.get(), (mode & 0111) != 0 ? 0555 : 0444) != 0) {
      return std::unexpected(Failed("set the mode of", name));
    }
    ++unpacked_.files;
    return {};
  }

  std::expected<void, Error> CopyData(archive* reader, int file, const std::string& name) {
    const void* bytes = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    for (;;) {
      const int status = archive_read_data_block(reader, &bytes, &size, &offset);
      if (status == ARCHIVE_EOF) return {};
      if (status != ARCHIVE_OK) {
        return std::unexpected(
            Refused(fmt::format("expected a whole zip file, got \"{}\" damaged ({}); make it again",
                                name, ArchiveMessage(reader))));
      }
      unpacked_.bytes += size;
      if (unpacked_.bytes > limits_.max_unpacked_bytes) {
        return std::unexpected(Error{
            ErrorCode::kResourceExhausted,
            fmt::format("expected a zip that unpacks to at most {} bytes, got more; pack less",
                        limits_.max_unpacked_bytes)});
      }
      if (auto written = WriteAll(file, {static_cast<const char*>(bytes), size}); !written) {
        written.error().message += fmt::format(" ({})", (folder_ / name).native());
        return std::unexpected(Explained(std::move(written.error())));
      }
    }
  }

  std::expected<void, Error> UnpackLink(archive_entry* entry, const Components& components,
                                        const std::string& name) {
    auto parent = OpenParent(components, name);
    if (!parent) return std::unexpected(std::move(parent.error()));
    const char* target = archive_entry_symlink(entry);
    if (target == nullptr || !LinkStaysInside(target, components.size() - 1)) {
      return std::unexpected(
          Refused(fmt::format("expected links that stay inside the package, got \"{}\" to \"{}\"",
                              name, target != nullptr ? target : "")));
    }
    if (::symlinkat(target, parent->get(), std::string(components.back()).c_str()) != 0) {
      return std::unexpected(CannotCreate(name));
    }
    return {};
  }

  const std::filesystem::path& folder_;
  const ZipLimits& limits_;
  UniqueFd root_;
  std::uint64_t entries_ = 0;
  UnpackedZip unpacked_;
};

}  // namespace

std::expected<UnpackedZip, Error> UnpackZip(std::string_view zip,
                                            const std::filesystem::path& folder,
                                            const ZipLimits& limits) {
  Unpacker unpacker(folder, limits);
  auto unpacked = unpacker.Run(zip);
  if (!unpacked) unpacker.EmptyTheFolder();
  return unpacked;
}

}  // namespace kelvin::package
