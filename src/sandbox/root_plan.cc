#include "sandbox/root_plan.h"

#include <fmt/format.h>

namespace kelvin::sandbox {

std::vector<RootStep> PlanRoot(const std::filesystem::path& host_root) {
  using enum RootAction;
  std::vector<RootStep> plan;
  for (const char* name : {"usr", "etc", "bin", "sbin", "lib", "lib32", "lib64", "libx32"}) {
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
