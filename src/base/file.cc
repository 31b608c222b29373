#include "base/file.h"

#include <cerrno>
#include <cstdlib>
#include <string>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace kelvin {

std::expected<std::string, Error> ReadFile(const std::filesystem::path& path,
                                           std::size_t max_bytes) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return std::unexpected(ErrnoError(fmt::format("open {}", path.native()), errno));
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) {
    return std::unexpected(ErrnoError(fmt::format("read {}", path.native()), errno));
  }
  if (S_ISDIR(info.st_mode)) {
    return std::unexpected(ErrnoError(fmt::format("read {}", path.native()), EISDIR));
  }
  std::string content;
  // Files in /proc report no size, hence the floor.
  std::size_t step = static_cast<std::size_t>(info.st_size > 0 ? info.st_size + 1 : 4096);
  for (;;) {
    const std::size_t had = content.size();
    content.resize(had + step);
    ssize_t got = -1;
    do {
      got = ::read(fd.get(), content.data() + had, step);
    } while (got < 0 && errno == EINTR);
    if (got < 0) return std::unexpected(ErrnoError(fmt::format("read {}", path.native()), errno));
    content.resize(had + static_cast<std::size_t>(got));
    if (content.size() > max_bytes) {
      return std::unexpected(Error{ErrorCode::kResourceExhausted,
                                   fmt::format("expected {} to be at most {} bytes, it is larger",
                                               path.native(), max_bytes)});
    }
    if (got == 0) return content;
    step = 65536;
  }
}

namespace {

std::expected<void, Error> SyncFolder(const std::filesystem::path& folder) {
  const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() || ::fsync(fd.get()) != 0) {
    return std::unexpected(ErrnoError(fmt::format("sync {}", folder.native()), errno));
  }
  return {};
}

std::expected<void, Error> WriteNewFile(const std::string& path, std::string_view content,
                                        int mode) {
  const UniqueFd fd(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, static_cast<mode_t>(mode)));
  if (!fd.valid()) return std::unexpected(ErrnoError(fmt::format("create {}", path), errno));
  auto written = WriteAll(fd.get(), content);
  if (!written) {
    written.error().message = fmt::format("{} ({})", written.error().message, path);
    return written;
  }
  if (::fsync(fd.get()) != 0)
    return std::unexpected(ErrnoError(fmt::format("sync {}", path), errno));
  return {};
}

}  // namespace

std::expected<void, Error> WriteFileAtomically(const std::filesystem::path& path,
                                               std::string_view content, int mode) {
  const std::string beside = fmt::format("{}.{}.new", path.native(), ::getpid());
  auto written = WriteNewFile(beside, content, mode);
  if (written && ::rename(beside.c_str(), path.c_str()) != 0) {
    written = std::unexpected(ErrnoError(fmt::format("replace {}", path.native()), errno));
  }
  if (!written) {
    ::unlink(beside.c_str());
    return written;
  }
  return SyncFolder(path.has_parent_path() ? path.parent_path() : ".");
}

std::expected<TemporaryDirectory, Error> TemporaryDirectory::Create(
    const std::filesystem::path& parent) {
  std::string name = (parent / "kelvin-XXXXXX").native();
  if (::mkdtemp(name.data()) == nullptr) {
    return std::unexpected(
        ErrnoError(fmt::format("create a temporary folder in {}", parent.native()), errno));
  }
  return TemporaryDirectory(std::filesystem::path(name));
}

TemporaryDirectory& TemporaryDirectory::operator=(TemporaryDirectory&& other) noexcept {
  std::swap(path_, other.path_);
  return *this;
}

TemporaryDirectory::~TemporaryDirectory() {
  if (path_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace kelvin
