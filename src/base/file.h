#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace kelvin {

// Owns a file descriptor.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

// The whole file. Fails with kResourceExhausted beyond `max_bytes`.
std::expected<std::string, Error> ReadFile(const std::filesystem::path& path,
                                           std::size_t max_bytes = std::size_t{1} << 30);

// Writes beside `path`, syncs, and renames over it: after a crash the old or the new content is
// there, whole. The folder is synced too.
std::expected<void, Error> WriteFileAtomically(const std::filesystem::path& path,
                                               std::string_view content, int mode = 0644);

// Writes all of `bytes`, going on after short writes and signals.
std::expected<void, Error> WriteAll(int fd, std::string_view bytes);

// A new, empty folder that goes, with all in it, when the object does.
class TemporaryDirectory {
 public:
  // Fails when the parent (by default the system's temporary folder) cannot be written.
  static std::expected<TemporaryDirectory, Error> Create(
      const std::filesystem::path& parent = std::filesystem::temp_directory_path());
  TemporaryDirectory(TemporaryDirectory&& other) noexcept
      : path_(std::exchange(other.path_, std::filesystem::path{})) {}
  TemporaryDirectory& operator=(TemporaryDirectory&& other) noexcept;
  ~TemporaryDirectory();
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit TemporaryDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace kelvin
