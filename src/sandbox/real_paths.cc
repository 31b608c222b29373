#include "sandbox/real_paths.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

namespace kelvin::sandbox {
namespace {

constexpr std::array<std::string_view, 4> kPathVariables = {
    "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "PATH", "LD_LIBRARY_PATH"};

std::string RealPath(std::string_view path, const SandboxFolders& folders) {
  const std::array<std::pair<std::string_view, const std::filesystem::path*>, 4> places = {{
      {"/var/task", &folders.code},
      {"/opt", &folders.layers},
      {"/var/runtime", &folders.runtime},
      {"/var/lang", &folders.language},
  }};
  for (const auto& [place, folder] : places) {
    if (folder->empty() || !path.starts_with(place)) continue;
    const std::string_view rest = path.substr(place.size());
    if (rest.empty() || rest.front() == '/') return folder->native() + std::string(rest);
  }
  return std::string(path);
}

}  // namespace

std::string WithRealPaths(std::string_view variable, const SandboxFolders& folders) {
  const std::size_t equals = variable.find('=');
  if (equals == std::string_view::npos ||
      std::ranges::find(kPathVariables, variable.substr(0, equals)) == kPathVariables.end()) {
    return std::string(variable);
  }
  std::string real(variable.substr(0, equals + 1));
  std::string_view paths = variable.substr(equals + 1);
  while (true) {
    const std::size_t colon = paths.find(':');
    real += RealPath(paths.substr(0, colon), folders);
    if (colon == std::string_view::npos) return real;
    real += ':';
    paths.remove_prefix(colon + 1);
  }
}

}  // namespace kelvin::sandbox
