#pragma once

#include <expected>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "base/error.h"

namespace kelvin::sandbox {

// What a function sees as /etc/hosts: what the host's has, localhost in any case, and the name by
// which runtimes and extensions of Lambda know the sandbox.
std::string SandboxHosts(std::string_view host_hosts);
// What it sees as /etc/passwd: the user that it is on Lambda, before those of the host, one of
// which may have the same number. Without it there is no home, and Node's os.homedir() throws.
std::string SandboxUsers(std::string_view host_users, uid_t uid, gid_t gid);

// Such a file, which all sandboxes see.
class EtcFile {
 public:
  using Make = std::function<std::string(std::string_view of_host)>;
  // Made at `path` of what is at `source`, the host's, which may lack.
  EtcFile(std::filesystem::path source, std::filesystem::path path, Make make);
  // Makes it anew, in one step, if the host's has changed since. Fails with kIo.
  std::expected<void, Error> Update();
  const std::filesystem::path& path() const { return path_; }

 private:
  const std::filesystem::path source_;
  const std::filesystem::path path_;
  const Make make_;
  std::string made_of_;  // tells one state of the source from another
};

}  // namespace kelvin::sandbox
