#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"

namespace kelvin::sandbox {

// What a function sees as /etc/hosts: what the host's has, localhost in any case, and the name by
// which runtimes and extensions of Lambda know the sandbox.
std::string SandboxHosts(std::string_view host_hosts);

// Such a file, which all sandboxes see.
class HostsFile {
 public:
  // Made at `path` of what is at `source`, the host's, which may lack.
  HostsFile(std::filesystem::path source, std::filesystem::path path);
  // Makes it anew, in one step, if the host's has changed since. Fails with kIo.
  std::expected<void, Error> Update();
  const std::filesystem::path& path() const { return path_; }

 private:
  const std::filesystem::path source_;
  const std::filesystem::path path_;
  std::string made_of_;  // tells one state of the source from another
};

}  // namespace kelvin::sandbox
