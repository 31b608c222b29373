#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace kelvin::sandbox {

// The seam for the cgroup file systems. Calls are single system calls or short runs of them; the
// kernel makes and removes the files within a folder by itself.
class CgroupFs {
 public:
  virtual ~CgroupFs() = default;
  virtual std::expected<void, Error> MakeFolder(const std::filesystem::path& path) = 0;
  // Fails while the folder has processes or folders in it; a folder that is not there is fine.
  virtual std::expected<void, Error> RemoveFolder(const std::filesystem::path& path) = 0;
  // Writes `text` with one call to a file that exists.
  virtual std::expected<void, Error> Write(const std::filesystem::path& path,
                                           std::string_view text) = 0;
  virtual std::expected<std::string, Error> Read(const std::filesystem::path& path) = 0;
  // Names of the folders directly within `path`; none if it cannot be read.
  virtual std::vector<std::string> Folders(const std::filesystem::path& path) = 0;
};

// The kernel's.
class HostCgroupFs final : public CgroupFs {
 public:
  std::expected<void, Error> MakeFolder(const std::filesystem::path& path) override;
  std::expected<void, Error> RemoveFolder(const std::filesystem::path& path) override;
  std::expected<void, Error> Write(const std::filesystem::path& path,
                                   std::string_view text) override;
  std::expected<std::string, Error> Read(const std::filesystem::path& path) override;
  std::vector<std::string> Folders(const std::filesystem::path& path) override;
};

}  // namespace kelvin::sandbox
