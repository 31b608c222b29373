#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "sandbox/root_plan.h"

namespace kelvin::sandbox {
namespace {

// Goes on as long as every step works, and keeps the first failure. Joins paths as text: a path
// allocates for each of its parts, in memory that every keeper would have of its own.
class RootBuilder {
 public:
  explicit RootBuilder(const std::filesystem::path& root) : root_(root.native()) {}

  // What happens here must not show on the host.
  bool Begin() {
    return Check(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr),
                 "make private the mounts below", "/") &&
           MountTmpfs(root_, "mode=755,size=1m");
  }
  bool Add(const std::vector<RootStep>& plan) {
    for (const RootStep& step : plan) {
      if (!Perform(step, root_ + '/' + step.target.native())) return false;
    }
    return true;
  }
  bool Enter() {
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_RDONLY;
    return Check(::mount_setattr(AT_FDCWD, root_.c_str(), 0, &attributes, sizeof attributes),
                 "make read-only", root_) &&
           Pivot();
  }
  const Error& error() const { return error_; }

 private:
  bool Check(int status, std::string_view doing, const std::string& path) {
    if (status == 0) return true;
    const int number = errno;
    error_ = ErrnoError(fmt::format("{} {}", doing, path), number);
    return false;
  }

  bool Perform(const RootStep& step, const std::string& target) {
    switch (step.action) {
      case RootAction::kFolder:
        return MakeFolder(target);
      case RootAction::kSymlink:
        return Check(::symlink(step.source.c_str(), target.c_str()), "link", target);
      case RootAction::kTmpfs:
        return MakeFolder(target) && MountTmpfs(target, step.source);
      case RootAction::kProc:
        return MakeFolder(target) && MountProc(target);
      case RootAction::kBind:
        return MakeFolder(target) &&
               Bind(step.source, target, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
      case RootAction::kFile:
        if (::access(step.source.c_str(), F_OK) != 0 && errno == ENOENT) return true;
        return MakeFile(target) &&
               Bind(step.source, target,
                    MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
      case RootAction::kDevice:
        return MakeFile(target) && Bind(step.source, target, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
    }
    return true;
  }

  bool MakeFolder(const std::string& path) {
    const int status = ::mkdir(path.c_str(), 0755);
    return Check(status != 0 && errno == EEXIST ? 0 : status, "create", path);
  }

  bool MakeFile(const std::string& path) {
    const int status = ::mknod(path.c_str(), S_IFREG | 0644, 0);
    return Check(status != 0 && errno == EEXIST ? 0 : status, "create", path);
  }

  // Through a detached copy of the mount, so that it never shows writable.
  bool Bind(const std::string& source, const std::string& target, std::uint64_t attributes) {
    const UniqueFd copy(
        ::open_tree(AT_FDCWD, source.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE));
    if (!copy.valid()) return Check(-1, "mount", source);
    mount_attr attr{};
    attr.attr_set = attributes;
    return Check(::mount_setattr(copy.get(), "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr),
                 "restrict the mount of", source) &&
           Check(::move_mount(copy.get(), "", AT_FDCWD, target.c_str(), MOVE_MOUNT_F_EMPTY_PATH),
                 "mount", target);
  }

  bool MountTmpfs(const std::string& target, const std::string& options) {
    return Check(::mount("tmpfs", target.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, options.c_str()),
                 "mount a tmpfs at", target);
  }

  bool MountProc(const std::string& target) {
    // Others' processes do not show: the sandbox's keeper is none of the function's business.
    if (::mount("proc", target.c_str(), "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "hidepid=2") ==
        0) {
      return true;
    }
    // Within a container that hides parts of /proc the kernel allows only what is already there.
    return Bind("/proc", target, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  }

  bool Pivot() {
    // With both names ".", the old root ends up mounted over the new one, and goes from there.
    return Check(::chdir(root_.c_str()), "enter", root_) &&
           Check(static_cast<int>(::syscall(SYS_pivot_root, ".", ".")), "change the root to",
                 root_) &&
           Check(::umount2(".", MNT_DETACH), "unmount", "the old root") &&
           Check(::chdir("/"), "enter", "/");
  }

  const std::string& root_;
  Error error_;
};

}  // namespace

std::expected<void, Error> BeginRoot(const std::vector<RootStep>& plan,
                                     const std::filesystem::path& mount_point) {
  RootBuilder builder(mount_point);
  if (!builder.Begin() || !builder.Add(plan)) return std::unexpected(builder.error());
  return {};
}

std::expected<void, Error> EnterRoot(const std::vector<RootStep>& plan,
                                     const std::filesystem::path& mount_point) {
  RootBuilder builder(mount_point);
  if (!builder.Add(plan) || !builder.Enter()) return std::unexpected(builder.error());
  return {};
}

}  // namespace kelvin::sandbox
