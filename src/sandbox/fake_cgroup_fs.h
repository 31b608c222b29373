#pragma once

#include <map>
#include <set>
#include <string>

#include "sandbox/cgroup_fs.h"

namespace kelvin::sandbox {

// Cgroup file systems in memory. A folder comes with the files that `populate` gives it, as the
// kernel's do.
class FakeCgroupFs final : public CgroupFs {
 public:
  std::map<std::string, std::string> files;
  std::set<std::string> folders;
  std::set<std::string> read_only;  // folders in which none can be made
  // File names, with their content, of every new folder whose path begins with the key.
  std::map<std::string, std::map<std::string, std::string>> populate;
  std::map<std::string, ErrorCode> failing_writes;
  std::vector<std::string> writes;  // "path=text", in order

  std::expected<void, Error> MakeFolder(const std::filesystem::path& path) override {
    if (folders.contains(path.native())) return Fail(ErrorCode::kAlreadyExists);
    if (!folders.contains(path.parent_path().native())) return Fail(ErrorCode::kNotFound);
    if (read_only.contains(path.parent_path().native())) return Fail(ErrorCode::kPermissionDenied);
    folders.insert(path.native());
    for (const auto& [prefix, content] : populate) {
      if (!path.native().starts_with(prefix)) continue;
      for (const auto& [name, text] : content) files[(path / name).native()] = text;
    }
    return {};
  }
  std::expected<void, Error> RemoveFolder(const std::filesystem::path& path) override {
    if (const auto procs = files.find((path / "cgroup.procs").native());
        procs != files.end() && !procs->second.empty()) {
      return Fail(ErrorCode::kIo);
    }
    if (!Folders(path).empty()) return Fail(ErrorCode::kIo);
    folders.erase(path.native());
    std::erase_if(files,
                  [&](const auto& file) { return file.first.starts_with(path.native() + "/"); });
    return {};
  }
  std::expected<void, Error> Write(const std::filesystem::path& path,
                                   std::string_view text) override {
    if (const auto failing = failing_writes.find(path.native()); failing != failing_writes.end()) {
      return Fail(failing->second);
    }
    if (!files.contains(path.native())) return Fail(ErrorCode::kNotFound);
    files[path.native()] = text;
    writes.push_back(path.native() + "=" + std::string(text));
    return {};
  }
  std::expected<std::string, Error> Read(const std::filesystem::path& path) override {
    const auto found = files.find(path.native());
    if (found == files.end()) {
      return std::unexpected(Error{ErrorCode::kNotFound, "no " + path.native()});
    }
    return found->second;
  }
  std::vector<std::string> Folders(const std::filesystem::path& path) override {
    std::vector<std::string> names;
    for (const std::string& folder : folders) {
      const std::filesystem::path candidate(folder);
      if (candidate.parent_path() == path) names.push_back(candidate.filename().native());
    }
    return names;
  }

 private:
  static std::unexpected<Error> Fail(ErrorCode code) {
    return std::unexpected(Error{code, "the fake refuses"});
  }
};

}  // namespace kelvin::sandbox
