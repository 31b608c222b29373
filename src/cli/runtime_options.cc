#include "cli/runtime_options.h"

#include <fmt/format.h>

namespace kelvin::cli {
namespace {

namespace fs = std::filesystem;

bool IsRuntimeName(std::string_view name) {
  return !name.empty() && name.size() <= 64 && !name.starts_with("provided") &&
         name.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
             "._-") == std::string_view::npos;
}

fs::path IfFolder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored) ? path : fs::path();
}

}  // namespace

std::expected<RuntimeConfig, Error> ParseRuntime(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals + 1 == text.size() ||
      !IsRuntimeName(std::string_view(text).substr(0, equals))) {
    return std::unexpected(Error{
        ErrorCode::kInvalidArgument,
        fmt::format("expected --runtime NAME=FOLDER, such as nodejs20.x=runtimes/node, got {}",
                    text)});
  }
  return RuntimeConfig{.name = text.substr(0, equals), .folder = text.substr(equals + 1)};
}

std::expected<service::ManagedRuntimes, Error> FindRuntimes(
    const std::vector<RuntimeConfig>& configured) {
  service::ManagedRuntimes runtimes;
  for (const RuntimeConfig& runtime : configured) {
    std::error_code ignored;
    const fs::path folder = fs::absolute(runtime.folder, ignored);
    const fs::path inner = folder / "var" / "runtime";
    service::RuntimeFolders found;
    if (fs::exists(folder / "bootstrap", ignored)) {
      found = {.runtime = folder, .language = IfFolder(folder / "lang")};
    } else if (fs::exists(inner / "bootstrap", ignored)) {
      found = {.runtime = inner, .language = IfFolder(folder / "var" / "lang")};
    } else {
      return std::unexpected(
          Error{ErrorCode::kInvalidArgument,
                fmt::format("expected a bootstrap of the runtime {} at {} or at {}, found none",
                            runtime.name, (folder / "bootstrap").native(),
                            (inner / "bootstrap").native())});
    }
    runtimes.insert_or_assign(runtime.name, std::move(found));
  }
  return runtimes;
}

}  // namespace kelvin::cli
