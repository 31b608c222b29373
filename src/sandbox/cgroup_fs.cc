#include "sandbox/cgroup_fs.h"

#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

namespace kelvin::sandbox {
namespace {

std::unexpected<Error> Failed(std::string_view doing, const std::filesystem::path& path) {
  const int number = errno;
  return std::unexpected(ErrnoError(fmt::format("{} {}", doing, path.native()), number));
}

}  // namespace

std::expected<void, Error> HostCgroupFs::MakeFolder(const std::filesystem::path& path) {
  if (::mkdir(path.c_str(), 0755) != 0) return Failed("create", path);
  return {};
}

std::expected<void, Error> HostCgroupFs::RemoveFolder(const std::filesystem::path& path) {
  if (::rmdir(path.c_str()) != 0 && errno != ENOENT) return Failed("remove", path);
  return {};
}

std::expected<void, Error> HostCgroupFs::Write(const std::filesystem::path& path,
                                               std::string_view text) {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file.valid()) return Failed("open", path);
  ssize_t written = -1;
  do {
    written = ::write(file.get(), text.data(), text.size());
  } while (written < 0 && errno == EINTR);
  if (written < 0) return Failed(fmt::format("write \"{}\" to", text), path);
  return {};
}

std::expected<std::string, Error> HostCgroupFs::Read(const std::filesystem::path& path) {
  return ReadFile(path);
}

std::vector<std::string> HostCgroupFs::Folders(const std::filesystem::path& path) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& item : std::filesystem::directory_iterator(path, ignored)) {
    if (item.is_directory(ignored)) names.push_back(item.path().filename().native());
  }
  return names;
}

}  // namespace kelvin::sandbox
