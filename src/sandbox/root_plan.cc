#include "sandbox/root_plan.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace kelvin::sandbox {
namespace {

using Path = std::filesystem::path;

constexpr const char* kHostFolders[] = {"usr", "etc",   "bin",   "sbin",
                                        "lib", "lib32", "lib64", "libx32"};
constexpr int kMostLinks = 16;

// Whether what is there on the host is there in a sandbox.
bool IsShown(const Path& path) {
  const Path first = *path.begin();
  return first == "proc" || first == "dev" ||
         std::ranges::find(kHostFolders, first) != std::end(kHostFolders);
}

// Where the links at `path` lead, or the first place on the way there that is not shown. Both are
// relative to the root.
Path Follow(const Path& host_root, Path path) {
  for (int i = 0; i < kMostLinks && IsShown(path); ++i) {
    std::error_code not_a_link;
    const Path target = std::filesystem::read_symlink(host_root / path, not_a_link);
    if (not_a_link) break;
    path = ("/" / path.parent_path() / target).lexically_normal().relative_path();
  }
  return path;
}

void PlanFile(std::vector<RootStep>& plan, const Path& target, const Path& source) {
  Path folder;
  for (const Path& part : target.parent_path())
    plan.push_back({RootAction::kFolder, folder /= part});
  plan.push_back({RootAction::kFile, target, source.native()});
}

// In place of the file of that name.
void PlanOwn(std::vector<RootStep>& plan, const Path& host_root, const char* name,
             const Path& file) {
  const Path target = Follow(host_root, name);
  std::error_code ignored;
  if (!IsShown(target)) {
    PlanFile(plan, target, file);
  } else if (std::filesystem::is_regular_file(host_root / target, ignored)) {
    plan.push_back({RootAction::kFile, target, file.native()});
  }
}

void PlanEtc(std::vector<RootStep>& plan, const Path& host_root, const EtcFiles& etc) {
  PlanOwn(plan, host_root, "etc/hosts", etc.hosts);
  PlanOwn(plan, host_root, "etc/passwd", etc.users);
  std::error_code ignored;
  for (const char* name : {"etc/resolv.conf", "etc/nsswitch.conf"}) {
    const Path target = Follow(host_root, name);
    if (IsShown(target) || !std::filesystem::is_regular_file(host_root / target, ignored)) continue;
    PlanFile(plan, target, host_root / target);
  }
}

}  // namespace

std::vector<RootStep> PlanRoot(const std::filesystem::path& host_root, const EtcFiles& etc) {
  using enum RootAction;
  std::vector<RootStep> plan;
  for (const char* name : kHostFolders) {
    const std::filesystem::path path = host_root / name;
    std::error_code ignored;
    if (std::filesystem::is_symlink(path, ignored)) {
      plan.push_back({kSymlink, name, std::filesystem::read_symlink(path, ignored).native()});
    } else if (std::filesystem::is_directory(path, ignored)) {
      plan.push_back({kBind, name, path.native()});
    }
  }
  plan.push_back({kFolder, "dev"});
  for (const char* name : {"null", "zero", "full", "random", "urandom"}) {
    plan.push_back(
        {kDevice, std::filesystem::path("dev") / name, (host_root / "dev" / name).native()});
  }
  plan.push_back({kSymlink, "dev/fd", "/proc/self/fd"});
  plan.push_back({kSymlink, "dev/stdin", "/proc/self/fd/0"});
  plan.push_back({kSymlink, "dev/stdout", "/proc/self/fd/1"});
  plan.push_back({kSymlink, "dev/stderr", "/proc/self/fd/2"});
  plan.push_back({kProc, "proc"});
  plan.push_back({kFolder, "var"});
  PlanEtc(plan, host_root, etc);
  return plan;
}

std::vector<RootStep> PlanFolders(const SandboxFolders& folders, int tmp_mb) {
  using enum RootAction;
  std::vector<RootStep> plan;
  const auto show = [&](const char* target, const std::filesystem::path& folder) {
    if (folder.empty()) {
      plan.push_back({kFolder, target});
    } else {
      plan.push_back({kBind, target, folder.native()});
    }
  };
  show("var/task", folders.code);
  show("var/runtime", folders.runtime);
  show("var/lang", folders.language);
  show("opt", folders.layers);
  plan.push_back({kTmpfs, "tmp", fmt::format("mode=1777,size={}m", tmp_mb)});
  return plan;
}

}  // namespace kelvin::sandbox
